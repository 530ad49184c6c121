import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A process under load is killed at random moments, again and again on one folder, and held to what it was promised.
@Suite("A journal whose process is killed")
struct KillTests {
    @Test(
        "loses nothing acknowledged, hands nothing over early or after an acknowledged cancel",
        arguments: [1, 2]
    )
    func kills(lanes: Int) async throws {
        let rounds = getenv("BELFRY_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100
        var random = SplitMix64(seed: 20_251_121)
        let folder = TemporaryFolder()
        let logs = TemporaryFolder()
        let log = logs.path + "/log"
        var judge = KillJudge()
        for round in 0..<rounds {
            let child = try CrashProcess(
                folder: folder.path,
                log: log,
                serial: round * 1_000_000,
                lanes: lanes
            )
            child.kill(afterBytes: Int.random(in: 0...40_000, using: &random), of: log)
            try judge.read(log)
            let timeline = try await JournalTimeline.open(folder: folder.path, clock: ManualClock())
            try await judge.check(timeline, round: round)
            await timeline.close()
        }
        #expect(judge.acknowledged > rounds * 5, "the children did too little to prove anything")
        let clock = ManualClock(SystemClock().now() + .hours(2))
        let timeline = try await JournalTimeline.open(folder: folder.path, clock: clock)
        try await judge.checkAllComeDue(timeline)
        await timeline.close()
    }
}

/// What the log says was promised about one id.
private struct Promise {
    /// The newest version whose acceptance was acknowledged.
    var accepted = 0
    /// The newest version that was asked for.
    var asked = 0
    /// Versions up to this one were asked to be cancelled; and acknowledged as cancelled.
    var cancelAsked = 0
    var cancelled = 0
    /// Versions of which it was asked, and acknowledged, that they are done.
    var doneAsked: Set<Int> = []
    var done = 0
    /// `cancelled` at the moment the present claim call began.
    var cancelledAtClaim = 0
}

private struct KillJudge {
    private var promises: [String: Promise] = [:]
    private var offset = 0
    private(set) var acknowledged = 0

    mutating func read(_ path: String) throws {
        guard let file = fopen(path, "r") else { return }
        defer { fclose(file) }
        fseek(file, offset, SEEK_SET)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        offset += bytes.count
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            note(line.split(separator: " ").map(String.init))
        }
    }

    private mutating func note(_ words: [String]) {
        func number(_ index: Int) -> Int { index < words.count ? Int(words[index]) ?? 0 : 0 }
        if words[0] == "Q" {
            promises = promises.mapValues { promise in
                var promise = promise
                promise.cancelledAtClaim = promise.cancelled
                return promise
            }
            return
        }
        let id = words[1]
        var promise = promises[id] ?? Promise()
        switch words[0] {
        case "S": promise.asked = number(2)
        case "s":
            promise.accepted = number(2)
            acknowledged += 1
        case "K": promise.cancelAsked = promise.asked
        case "k":
            promise.cancelled = promise.cancelAsked
            acknowledged += 1
        case "C":
            #expect(number(3) <= number(4), "\(words) is early")
            #expect(number(2) > promise.cancelledAtClaim, "\(words) after an acknowledged cancel")
        case "D": promise.doneAsked.insert(number(2))
        case "d":
            if words[3] == "settled" { promise.done = max(promise.done, number(2)) }
            acknowledged += 1
        default: Issue.record("a line of the log is strange: \(words)")
        }
        promises[id] = promise
    }

    /// Holds what is pending against the promises.
    func check(_ timeline: JournalTimeline, round: Int) async throws {
        let ids = promises.keys.sorted()
        let found = try await timeline.find(ids.map { PushID($0) })
        for (id, found) in zip(ids, found) {
            guard let promise = promises[id] else { continue }
            let version = found.map { Int(String(decoding: $0.push.payload, as: UTF8.self)) ?? -1 }
            if mustBePending(promise) {
                #expect(version != nil, "round \(round): \(id) was lost: \(promise)")
            }
            guard let version else { continue }
            #expect(
                version >= promise.accepted,
                "round \(round): \(id) is an old version: \(promise)"
            )
            #expect(version > promise.cancelled, "round \(round): \(id) was cancelled: \(promise)")
            #expect(version > promise.done, "round \(round): \(id) was done: \(promise)")
        }
    }

    /// The newest acknowledged version, unless somebody began to end it, or a newer one: what was asked for may have been accepted although the
    /// child died before it could say so, and then been done in a later life.
    private func mustBePending(_ promise: Promise) -> Bool {
        promise.accepted > 0 && promise.accepted > promise.cancelAsked
            && !promise.doneAsked.contains { $0 >= promise.accepted }
    }

    /// In the end everything that is pending is handed over.
    func checkAllComeDue(_ timeline: JournalTimeline) async throws {
        var claimed: Set<String> = []
        while true {
            let claims = try await timeline.claim(limit: 1000, lease: .minutes(1)).claims
            if claims.isEmpty { break }
            for claim in claims {
                #expect(claimed.insert(claim.push.id.text).inserted, "\(claim.push.id) came twice")
            }
        }
        for (id, promise) in promises where mustBePending(promise) {
            #expect(claimed.contains(id), "\(id) was never handed over: \(promise)")
        }
    }
}

/// The child, from its start to its violent end.
private struct CrashProcess {
    private let process: pid_t

    init(folder: String, log: String, serial: Int, lanes: Int) throws {
        let program = Self.program
        let texts = [program, folder, log, "\(serial)", "\(lanes)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawn(&process, program, nil, nil, arguments, environ)
        try #require(code == 0, "\(program) cannot be started: \(code)")
        self.process = process
    }

    /// Lets the log grow by so much, then kills. The growth decides, not time, so that a slow machine tests the same.
    func kill(afterBytes count: Int, of log: String) {
        let end = Self.size(log) + 1 + count
        while Self.size(log) < end, waitpid(process, nil, WNOHANG) == 0 { usleep(200) }
        _ = Self.signal(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    private static func signal(_ process: pid_t, _ signal: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.kill(process, signal)
        #elseif canImport(Musl)
        Musl.kill(process, signal)
        #else
        Darwin.kill(process, signal)
        #endif
    }

    private static func size(_ path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    /// Beside the test program.
    private static var program: String {
        let test = CommandLine.arguments[0]
        let folder = test.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let beside = folder.joined(separator: "/") + "/journal-crash-child"
        if access(beside, X_OK) == 0 { return beside }
        // Where the test program is a tool of the system (macOS): in the build folder.
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return root.joined(separator: "/") + "/.build/debug/journal-crash-child"
    }
}
