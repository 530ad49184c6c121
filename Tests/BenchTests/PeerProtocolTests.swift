import BelfryCore
import BelfryTestSupport
import Foundation
import Testing

@testable import BelfryBench
@testable import BelfryPeers

@Suite("The protocols of the peers")
struct PeerProtocolTests {
    @Test("a Redis command is an array of strings with their lengths")
    func command() {
        #expect(
            String(decoding: RedisProtocol.command(["SCRIPT", "LOAD", "é"]), as: UTF8.self)
                == "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$2\r\né\r\n"
        )
        #expect(RedisProtocol.integer(":42") == 42)
        #expect(RedisProtocol.integer("-ERR no such script") == nil)
        #expect(RedisProtocol.integer(nil) == nil)
    }

    @Test("each push is one call of the script with its id, due time and payload")
    func redisPuts() {
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        let due = now + BenchPushes.delay(7)
        let payload = String(repeating: "a", count: 120)
        let sum = String(repeating: "f", count: 40)
        #expect(
            String(decoding: RedisProtocol.puts(7..<8, script: sum, from: now), as: UTF8.self)
                == "*8\r\n$7\r\nEVALSHA\r\n$40\r\n\(sum)\r\n$1\r\n2\r\n$6\r\npushes\r\n$3\r\ndue\r\n"
                + "$16\r\nflow/a/100000007\r\n$13\r\n\(due.milliseconds)\r\n$120\r\n\(payload)\r\n"
        )
    }

    @Test("each push is one put of beanstalkd, delayed by whole seconds, its id before the payload")
    func beanstalkdPuts() {
        let delay = BenchPushes.delay(7).milliseconds / 1000
        let payload = String(repeating: "a", count: 120)
        #expect(
            String(decoding: BeanstalkdProtocol.puts(7..<8), as: UTF8.self)
                == "put 0 \(delay) 60 136\r\nflow/a/100000007\(payload)\r\n"
        )
        let stats = ["OK 923", "---\ncurrent-jobs-ready: 1\ncurrent-jobs-delayed: 5000\n"]
        #expect(BeanstalkdProtocol.delayed(stats) == 5000)
        #expect(BeanstalkdProtocol.delayed(["OK 3"]) == nil)
    }

    @Test("answers are counted in whatever pieces they come", arguments: 1...7)
    func pieces(size: Int) throws {
        let answers = Array(":1\r\n:0\r\n:1\r\n".utf8)
        var counter = LineCounter(prefix: ":")
        for start in stride(from: 0, to: answers.count, by: size) {
            try counter.take(answers[start..<min(start + size, answers.count)])
        }
        #expect(counter.lines == 3)
    }

    @Test("an answer that is not the expected one ends the benchmark and is told")
    func refusal() {
        var counter = LineCounter(prefix: "INSERTED ")
        let error = #expect(throws: LoadFailure.self) {
            try counter.take(Array("INSERTED 1\r\nOUT_OF_MEMORY\r\n".utf8)[...])
        }
        #expect(error?.description.contains("OUT_OF_MEMORY") == true)
    }

    @Test("a server that is not installed is told with the command that installs it")
    func missing() {
        let error = #expect(throws: LoadFailure.self) {
            try Installed.program("no-such-server", package: "no-such-package")
        }
        #expect(error?.description.contains("scripts/install-dependencies bench") == true)
        #expect(error?.description.contains("no-such-package") == true)
    }

    @Test("a server is stopped by its process id when its work has ended, also when that fails")
    func stops() async throws {
        struct Broken: Error {}
        let folder = TemporaryFolder()
        var program = PeerProgram(
            "sleeper",
            path: "/bin/sleep",
            arguments: ["600"],
            folder: folder.path
        )
        program.greet = { _ in }
        var id: Int32 = 0
        await #expect(throws: Broken.self) {
            try await PeerServer.during(program, port: 1) { server in
                id = server.processID
                #expect(kill(id, 0) == 0)
                throw Broken()
            }
        }
        #expect(id > 0)
        #expect(kill(id, 0) == -1)
    }

    @Test("a server that ends at once is told with the end of its log")
    func fails() async throws {
        let folder = TemporaryFolder()
        let program = PeerProgram(
            "failing",
            path: "/bin/sh",
            arguments: ["-c", "echo no such option"],
            folder: folder.path
        )
        let port = try LoopbackPort.free()
        let error = await #expect(throws: LoadFailure.self) {
            try await PeerServer.during(program, port: port) { _ in }
        }
        #expect(error?.description.contains("no such option") == true)
    }
}
