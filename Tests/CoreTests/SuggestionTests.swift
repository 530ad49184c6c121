import BelfryCore
import Testing

@Suite("Suggestions for misspelt words")
struct SuggestionTests {
    private let known = ["after", "at", "expires", "max_wait", "quiet_hours"]

    @Test("a slip of the finger finds its word: a letter missing, added, wrong or swapped")
    func slips() {
        for slip in ["aftr", "affter", "aftor", "afetr", "After"] {
            #expect(Suggestion.nearest(to: slip, among: known) == "after")
        }
    }

    @Test("a dash stands for an underscore, on either side")
    func dashes() {
        #expect(Suggestion.nearest(to: "max-wait", among: known) == "max_wait")
        #expect(Suggestion.nearest(to: "max_wait", among: ["max-wait"]) == "max-wait")
    }

    @Test("what resembles nothing gets no suggestion, however long it is")
    func nothing() {
        #expect(Suggestion.nearest(to: "colour", among: known) == nil)
        #expect(Suggestion.nearest(to: "", among: known) == nil)
        let long = String(repeating: "after", count: 13)
        #expect(Suggestion.nearest(to: long, among: [long]) == nil)
    }

    @Test("of two as near, the first in the alphabet is named")
    func ties() {
        #expect(Suggestion.nearest(to: "cat", among: ["hat", "bat"]) == "bat")
    }
}
