import Testing

@testable import BelfryClient

@Suite("JSON of the API")
struct JSONTests {
    @Test("whole numbers stay whole, and members come out in one order")
    func numbers() throws {
        let json = try JSON(
            parsing: Array(#"{"b":9007199254740993,"a":[1.5,true,null,"雨/"]}"#.utf8)
        )
        #expect(json["b"].integer == 9_007_199_254_740_993)
        #expect(json.text == #"{"a":[1.5,true,null,"雨/"],"b":9007199254740993}"#)
    }

    @Test("an answer that is not JSON is quoted in the error", arguments: ["<html>", "", "{"])
    func notJSON(text: String) {
        #expect(throws: ClientError.notJSON(start: text)) { try JSON(parsing: Array(text.utf8)) }
    }

    @Test("members that are null are left out where asked")
    func withoutNulls() {
        #expect(JSON.of(["a": 1, "b": .null, "c": .text(nil)]) == .object(["a": 1]))
    }
}
