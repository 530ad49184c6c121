import BelfryClient

/// Who subscribes, who thinks better of it, and who comes back; and what the workers promised each of them.
///
/// Person i subscribes at worker i modulo three. Every fifth cancels at the next worker, and half of those come back at the one after that.
struct Crowd: Sendable {
    /// What somebody was promised by the last answer.
    enum Promise: Sendable {
        /// A message at the opening.
        case told
        /// No message.
        case untold
        /// The message was on its way: either may come.
        case open
    }

    static let topic = "coupon"
    /// A batch of the server's.
    private static let linesPerRequest = 1_000

    let people: Int
    private(set) var promises: [Promise]
    private(set) var cancels = 0
    private(set) var comebacks = 0

    init(people: Int) {
        self.people = people
        promises = Array(repeating: .untold, count: people)
    }

    static func name(_ person: Int) -> String { "customer-\(person)" }

    /// Which person a name is; `nil`: none of ours.
    func person(_ name: some StringProtocol) -> Int? {
        guard name.hasPrefix("customer-"), let number = Int(name.dropFirst(9)),
            number >= 0, number < people
        else { return nil }
        return number
    }

    var told: Int { promises.count { $0 == .told } }

    /// - Throws: `ClientError`, or ``ClusterDemoFailure`` where a line was refused.
    mutating func subscribe(at workers: [ClusterWorker]) async throws {
        try await wish("subscribe", at: workers, shift: 0) { _ in true }
    }

    /// Some cancel, and some of them come back.
    mutating func change(at workers: [ClusterWorker]) async throws {
        try await wish("cancel", at: workers, shift: 1) { $0.isMultiple(of: 5) }
        try await wish("subscribe", at: workers, shift: 2) { $0.isMultiple(of: 10) }
        cancels = (people + 4) / 5
        comebacks = (people + 9) / 10
    }

    private mutating func wish(
        _ action: String,
        at workers: [ClusterWorker],
        shift: Int,
        _ isAmong: (Int) -> Bool
    ) async throws {
        var desks = [[Int]](repeating: [], count: workers.count)
        for person in 0..<people where isAmong(person) {
            desks[(person + shift) % workers.count].append(person)
        }
        let answers = try await withThrowingTaskGroup(of: [(Int, String)].self) { group in
            for (worker, persons) in zip(workers, desks) {
                group.addTask { try await Self.send(action, persons, to: worker) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for (person, status) in answers { promises[person] = try Self.promise(status) }
    }

    private static func promise(_ status: String) throws -> Promise {
        switch status {
        case "subscribed", "already": .told
        case "cancelled", "not_subscribed", "too_late": .untold
        case "in_flight", "already_sent": .open
        default: throw ClusterDemoFailure("a worker answered: \(status)")
        }
    }

    private static func send(_ action: String, _ persons: [Int], to worker: ClusterWorker)
        async throws -> [(Int, String)]
    {
        var answers: [(Int, String)] = []
        for start in stride(from: 0, to: persons.count, by: linesPerRequest) {
            let some = persons[start..<min(start + linesPerRequest, persons.count)]
            let lines = some.map {
                #"{"topic":"\#(topic)","to":"\#(name($0))","action":"\#(action)"}"#
            }
            let answer = try await worker.client.send(
                .post,
                "/v1/reminders:bulk",
                [],
                .init(
                    type: "application/x-ndjson",
                    bytes: Array(lines.joined(separator: "\n").utf8)
                )
            ).split(separator: UInt8(ascii: "\n"))
            guard answer.count == some.count else {
                throw ClusterDemoFailure("\(answer.count) answers for \(some.count) people")
            }
            for (person, line) in zip(some, answer) {
                let result = try JSON(parsing: line)
                let status = result["status"].string ?? "error"
                answers.append((person, status == "error" ? result["detail"].text : status))
            }
        }
        return answers
    }
}
