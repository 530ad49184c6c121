import BelfryCore
import Testing

@Suite("A packed batch of pushes")
struct PushBatchTests {
    private let push = Push(
        id: "flow/a/welcome/o1",
        recipient: Recipient(account: "a", person: "o1"),
        due: Timestamp(milliseconds: 1_700_000_005_000),
        expires: nil,
        priority: .high,
        channel: "wechat",
        merge: MergeRule(key: "k", grace: .seconds(1), maxWait: .seconds(9), mode: .collect),
        payload: Array("你好".utf8)
    )

    @Test("gives back what was packed")
    func roundTrip() throws {
        var plain = push
        plain.id = "x"
        plain.merge = nil
        plain.expires = Timestamp(milliseconds: 1_700_000_009_000)
        let batch = try PushBatch([push, plain])
        #expect(batch.count == 2)
        let packed = batch.bytes.span
        guard let first = PushRecord(packed, at: 0),
            let second = PushRecord(packed, at: first.length)
        else { throw InvalidPush(field: "record", problem: "was not found") }
        let unpacked = [first.push(in: packed), second.push(in: packed)]
        #expect(unpacked == [push, plain])
        #expect(try PushBatch(packed: batch.bytes).count == 2)
    }

    @Test("refuses what is too long, names the field, and stays as it was")
    func limits() throws {
        var batch = PushBatch()
        var long = push
        long.id = PushID(String(repeating: "i", count: 10_000))
        #expect(throws: InvalidPush(field: "id", problem: "is 10000 bytes; 1 to 512 are allowed")) {
            try batch.append(long)
        }
        long = push
        long.payload = Array(repeating: 0, count: PushLimits.payloadBytes + 1)
        #expect(throws: InvalidPush.self) { try batch.append(long) }
        #expect(batch.isEmpty && batch.bytes.isEmpty)
    }

    @Test("refuses bytes that are no whole records", arguments: [1, 39, 41])
    func torn(cut: Int) throws {
        let bytes = Array(try PushBatch([push]).bytes.prefix(cut))
        #expect(throws: InvalidPush.self) { try PushBatch(packed: bytes) }
    }
}
