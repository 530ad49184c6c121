import BelfryChannels
import BelfryCore
import BelfrySimulation
import Foundation
import Testing

@Suite("The log channel")
struct LogChannelTests {
    private let clock = ManualClock(.seconds(5))
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func message(_ id: String, _ body: String, collected: [String] = []) -> OutboundMessage
    {
        OutboundMessage(
            id: PushID(id),
            recipient: Recipient(account: "a", person: "p"),
            body: Array(body.utf8),
            due: .seconds(4),
            asked: .seconds(3),
            attempt: 1,
            collected: collected.map { Array($0.utf8) }
        )
    }

    @Test("each message becomes one line of JSON in raw UTF-8, whatever it holds")
    func lines() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "log.ndjson")
        let channel = LogChannel(path: path.path(), clock: clock)
        let first = await channel.send([
            message("1", "{\n \"a\": \"你好/\\n\"\n}"), message("2", "not json \"\n 你"),
        ])
        #expect(first == [.sent(reference: nil), .sent(reference: nil)])
        _ = await LogChannel(path: path.path(), clock: clock)
            .send([message("3", "3", collected: ["1", "2"])])
        let text = try String(contentsOf: path, encoding: .utf8)
        let lines = text.split(separator: "\n")
        #expect(
            lines[0]
                == #"{"at":5000,"id":"1","account":"a","person":"p","asked":3000,"due":4000,"attempt":1,"body":{  "a": "你好/\n" }}"#
        )
        #expect(lines[1].hasSuffix(#""body":"not json \"\n 你"}"#))
        #expect(lines[2].hasSuffix(#""body":3,"collected":[1,2]}"#))
        #expect(lines.count == 3 && text.hasSuffix("\n"))
        for line in lines {
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(line.utf8))
            }
        }
    }

    @Test("a file that was moved away is begun anew: logs can be rotated while the server runs")
    func rotation() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "log.ndjson").path()
        let channel = LogChannel(path: path, clock: clock)
        _ = await channel.send([message("1", "1")])
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        #expect(await channel.send([message("2", "2")]) == [.sent(reference: nil)])
        #expect(try String(contentsOfFile: path + ".1", encoding: .utf8).contains(#""id":"1""#))
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains(#""id":"2""#))
    }

    @Test("a file that cannot be opened is tried again later, with a hint")
    func unwritable() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let channel = LogChannel(path: folder.path(), clock: clock)
        guard case .unreachable(_, let cause) = await channel.send([message("1", "1")])[0] else {
            Issue.record("must be tried again")
            return
        }
        #expect(cause.code == "log_open")
        #expect(!cause.remedy.isEmpty)
    }

    @Test(
        "a full disk takes nothing and loses nothing",
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"))
    )
    func full() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let outcome = await LogChannel(path: "/dev/full", clock: clock).send([message("1", "1")])
        switch outcome[0] {
        case .unreachable(_, let cause), .unknown(let cause): #expect(cause.code.hasPrefix("log_"))
        case .sent, .retry, .refused, .repeatable, .stopAccount: Issue.record("\(outcome)")
        }
    }

    @Test("the null channel accepts everything")
    func null() async {
        let outcomes = await NullChannel().send([message("1", "1"), message("2", "2")])
        #expect(outcomes == [.sent(reference: nil), .sent(reference: nil)])
    }
}
