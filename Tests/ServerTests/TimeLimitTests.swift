import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryServer

@Suite("Questions with a time limit")
struct TimeLimitTests {
    @Test("an answer in time is given, and so is an error")
    func answered() async throws {
        let clock = ManualClock()
        #expect(try await within(.seconds(1), clock) { 7 } == 7)
        await #expect(throws: TimelineError.self) {
            try await within(.seconds(1), clock) { throw TimelineError(.io, "gone") }
        }
    }

    @Test("who never answers is not waited for, and the question goes on by itself")
    func silent() async throws {
        let clock = ManualClock()
        let (answers, answer) = AsyncStream.makeStream(of: Int.self)
        let asked = Task {
            try await within(.seconds(1), clock) {
                // A database's call does not end when it is cancelled.
                await Task { await answers.first { _ in true } }.value
            }
        }
        let moving = Task {
            while !Task.isCancelled {
                clock.advance(by: .milliseconds(100))
                await Task.yield()
            }
        }
        let error = await #expect(throws: TimedOut.self) { try await asked.value }
        #expect(error?.description == "no answer within 1s")
        moving.cancel()
        answer.yield(1)
    }
}
