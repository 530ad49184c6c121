import BelfryClient
import BelfryCore
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import Foundation
import Testing

/// `belfry serve` as a real process that is killed while a topic moves. What people got is read from the log channel's file.
@Suite("Crashes while a topic moves", .serialized)
struct ReminderCrashTests {
    private static let people = 3000

    private func address(_ program: Program) throws -> String {
        let words = program.out.split(whereSeparator: { " ,\n".contains($0) })
        return String(try #require(words.first { $0.hasPrefix("http://") }))
    }

    @Test(
        "killed right after a move was acknowledged: nobody is told before the new time, everybody once"
    )
    func killedMove() async throws {
        try await World.with(clock: SystemClock()) { world in
            let first = try await world.start()
            let client = try APIClient(address: try address(first), key: nil)
            let opening = world.clock.now() + .seconds(12)
            try await client.call(
                .put,
                "/v1/topics/coupon",
                body: .object([
                    "account": .string(World.account), "channel": "log",
                    "opening": .integer(opening.milliseconds),
                ])
            )
            let lines = (0..<Self.people).map { #"{"topic":"coupon","to":"p\#($0)"}"# }
            _ = try await client.send(
                .post,
                "/v1/reminders:bulk",
                [],
                .init(
                    type: "application/x-ndjson",
                    bytes: Array(lines.joined(separator: "\n").utf8)
                )
            )
            let moved = world.clock.now() + .seconds(15)
            try await client.call(
                .patch,
                "/v1/topics/coupon",
                body: .object(["opening": .integer(moved.milliseconds)])
            )
            try await world.crash(first)
            let isInTime = world.clock.now() < moved
            let second = try await world.start()
            try await eventually("everybody is told") {
                try world.logged().count >= Self.people
            }
            second.signal(SIGTERM)
            #expect(try await second.ended() == 0)
            let logged = try world.logged()
            // On a machine so slow that sending had begun, what was on its way may have gone out twice.
            if isInTime { #expect(logged.count == Self.people) }
            #expect(Set(logged.map(\.person)).count == Self.people)
            #expect(logged.allSatisfy { $0.at >= moved.milliseconds })
        }
    }
}
