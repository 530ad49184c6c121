import BelfryCore
import Testing

@testable import BelfryDelivery

@Suite("When capacity counts as short")
struct ScarcityTests {
    /// A life of the machine in quarters of a second.
    private struct Life {
        var scarcity = Scarcity()
        var policy = OverloadPolicy(
            highest: .low,
            lagGoal: .seconds(1),
            longest: .minutes(1)
        )
        var steady: Int64 = 0
        var completed = 0
        var changes: [Scarcity.Change] = []

        /// Lets so many quarters pass.
        mutating func pass(
            _ quarters: Int = 1,
            rate: Int = 100,
            isSaturated: Bool = false,
            lag: Duration = .zero,
            isNeeded: Bool = true,
            isCaughtUp: Bool = true,
            ahead: Int? = nil
        ) {
            for _ in 0..<quarters {
                steady += 250
                completed += rate / 4
                let reading = Scarcity.Reading(
                    now: Timestamp(milliseconds: 1_700_000_000_000 + steady),
                    steady: steady,
                    completed: completed,
                    isSaturated: isSaturated,
                    lag: lag,
                    isNeeded: isNeeded,
                    isCaughtUp: isCaughtUp,
                    ahead: ahead.map { ($0, .seconds(60)) }
                )
                if let change = scarcity.take(reading, policy) { changes.append(change) }
            }
        }
    }

    @Test("it begins when everything has been busy for longer than pushes may be late, not before")
    func saturation() {
        var life = Life()
        life.pass(5, isSaturated: true)
        #expect(life.scarcity.overload == nil)
        life.pass(isSaturated: true)
        #expect(life.scarcity.overload?.reason == .saturation)
        #expect(life.scarcity.overload?.from == .low)
        #expect(life.changes == [.began])
    }

    @Test("short bursts that leave pauses are no shortage")
    func bursts() {
        var life = Life()
        for _ in 0..<50 {
            life.pass(4, isSaturated: true)
            life.pass()
        }
        #expect(life.changes.isEmpty)
    }

    @Test("it begins when pushes of a higher band have been late for a while and all is busy")
    func lag() {
        var life = Life()
        life.pass(8, lag: .seconds(5))
        #expect(life.changes.isEmpty, "not busy: an account's own limit keeps it waiting")
        life.pass(2, isSaturated: true, lag: .milliseconds(1_001))
        #expect(life.changes.isEmpty, "not for half a second yet")
        life.pass(isSaturated: true, lag: .milliseconds(1_001))
        #expect(life.scarcity.overload?.reason == .lag)
    }

    @Test(
        "a burst that is over within half a second is no shortage, however late, small the goal, or much"
    )
    func shortBurst() {
        var life = Life()
        life.pass(4, rate: 40, isSaturated: true, ahead: 0)
        life.pass(4, rate: 40, isSaturated: false)
        life.policy.lagGoal = .milliseconds(10)
        for _ in 0..<20 {
            life.pass(2, rate: 40, isSaturated: true, lag: .hours(1), ahead: 1_000_000)
            life.pass(rate: 40, ahead: 0)
        }
        #expect(life.changes.isEmpty)
    }

    @Test("bursts between which nobody looks are not counted together")
    func rest() {
        var life = Life()
        for _ in 0..<10 {
            life.pass(2, isSaturated: true, lag: .seconds(5), ahead: 1_000_000)
            life.scarcity.rest()
            life.steady += 60_000
        }
        #expect(life.changes.isEmpty)
    }

    @Test("what was ahead is asked again before it counts: it may have been a burst that is over")
    func staleForecast() {
        var life = Life()
        life.pass(4, rate: 400, isSaturated: true, ahead: 0)
        life.pass(rate: 400, ahead: 1_000_000)
        #expect(life.scarcity.isInDoubt)
        life.pass(20, rate: 400)
        #expect(life.changes.isEmpty, "nobody has asked since")
        life.pass(rate: 400, ahead: 0)
        #expect(!life.scarcity.isInDoubt && life.changes.isEmpty)
    }

    @Test("it begins when more is ahead than was ever sent in that time, once that is known")
    func forecast() {
        var life = Life()
        life.pass(ahead: 1_000_000)
        #expect(life.changes.isEmpty, "how much can be sent is not known")
        life.pass(4, rate: 400, isSaturated: true, ahead: 0)
        #expect(life.scarcity.capacity == 400)
        life.pass(4, rate: 10, ahead: 23_000)
        #expect(life.changes.isEmpty, "400 a second are 24,000 a minute")
        life.pass(2, rate: 10, ahead: 25_000)
        #expect(life.changes.isEmpty, "not for half a second yet")
        life.pass(rate: 10, ahead: 25_000)
        #expect(life.scarcity.overload?.reason == .forecast)
    }

    @Test("for nobody nothing is deferred: not while no higher band is in use")
    func needless() {
        var life = Life()
        life.pass(100, isSaturated: true, isNeeded: false)
        #expect(life.changes.isEmpty)
        life.pass(isSaturated: true)
        #expect(life.changes == [.began])
        life.pass(isSaturated: true, isNeeded: false)
        #expect(life.changes == [.began, .ended])
    }

    @Test(
        "it ends when nothing deferred is left and nothing was late for five seconds, and does not flap"
    )
    func hysteresis() {
        var life = Life()
        life.pass(6, isSaturated: true)
        life.pass(100, isCaughtUp: false)
        #expect(life.changes == [.began])
        for _ in 0..<20 {
            life.pass(19)
            life.pass(isCaughtUp: false)
        }
        #expect(life.changes == [.began])
        life.pass(30, ahead: 100 * 60 * 9 / 10)
        #expect(life.changes == [.began], "nine tenths of what can be sent are ahead")
        life.pass(21, ahead: 100 * 60 / 2)
        #expect(life.changes == [.began, .ended])
        #expect(life.scarcity.overload == nil)
        life.pass(5, isSaturated: true)
        #expect(life.changes.count == 2, "the next shortage is counted from its own beginning")
    }

    @Test("a band more is deferred only where the policy allows it and one was not enough")
    func more() {
        var life = Life()
        life.policy.highest = .normal
        life.pass(3, isSaturated: true, lag: .seconds(2))
        #expect(life.scarcity.overload?.from == .low)
        life.pass(7, isSaturated: true, lag: .seconds(2))
        #expect(life.scarcity.overload?.from == .low, "it is given time to work")
        life.pass(isSaturated: true, lag: .seconds(2))
        #expect(life.scarcity.overload?.from == .normal)
        life.pass(100, isSaturated: true, lag: .seconds(2))
        #expect(life.scarcity.overload?.from == .normal, "high is never deferred")
        life.policy.highest = .low
        life.pass(isSaturated: true, lag: .seconds(2))
        #expect(life.scarcity.overload?.from == .low)
        life.policy.highest = nil
        life.pass(isSaturated: true, lag: .seconds(2))
        #expect(life.changes == [.began, .deferredMore, .ended])
    }

    @Test("what has been due for the longest deferral is not deferred any more")
    func longest() {
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        let overload = Overload(from: .low, reason: .lag, since: now, longest: .seconds(60))
        #expect(overload.deferredUntil(.low, due: now, now: now) == now + .seconds(60))
        #expect(overload.deferredUntil(.low, due: now - .seconds(60), now: now) == nil)
        #expect(overload.deferredUntil(.low, due: now + .seconds(1), now: now) == nil)
        #expect(overload.deferredUntil(.normal, due: now, now: now) == nil)
    }
}
