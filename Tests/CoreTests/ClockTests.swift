import BelfryCore
import BelfrySimulation
import Testing

@Suite("Clocks for tests and demonstrations")
struct ClockTests {
    @Test("a jump wakes whoever waits for a time it passes")
    func jump() async throws {
        let clock = JumpingClock()
        let deadline = clock.now() + .days(2)
        async let woken: Void = clock.sleep(until: deadline)
        clock.jump(to: deadline)
        try await woken
        #expect(clock.now() >= deadline)
    }

    @Test("a jump never goes back")
    func backwards() {
        let clock = JumpingClock()
        clock.jump(to: clock.now() + .hours(1))
        let late = clock.now()
        clock.jump(to: late - .hours(1))
        #expect(clock.now() >= late)
    }

    @Test("a cancelled wait ends with CancellationError")
    func cancelled() async {
        for clock in [JumpingClock() as any WallClock, ManualClock()] {
            let wait = Task { try await clock.sleep(until: .distantFuture) }
            wait.cancel()
            await #expect(throws: CancellationError.self) { try await wait.value }
        }
    }

    @Test("a manual clock wakes at the deadline, not before")
    func manual() async throws {
        let clock = ManualClock(.seconds(100))
        async let woken: Timestamp = {
            try await clock.sleep(until: .seconds(160))
            return clock.now()
        }()
        while clock.sleepers == 0 { await Task.yield() }
        clock.advance(by: .seconds(59))
        #expect(clock.sleepers == 1)
        clock.advance(by: .seconds(1))
        #expect(try await woken == .seconds(160))
    }

    @Test("durations and times saturate instead of trapping")
    func saturation() {
        #expect(Timestamp.distantFuture + .days(1) == .distantFuture)
        #expect(Timestamp.distantPast - .days(1) < .seconds(0))
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect((Timestamp.seconds(5) - .seconds(2)).milliseconds == 3000)
    }
}
