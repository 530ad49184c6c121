import BelfryCore
import BelfryTimingWheel
import Testing

@Suite("The timing wheel")
struct TimingWheelTests {
    @Test("expires every entry in the very tick it is due, not before")
    func exact() {
        let wheel = Wheel(now: 1000)
        let dues: [Int64] = [1001, 1063, 1064, 1065, 5000, 262_144, 300_000, 20_000_000_000]
        for (value, due) in dues.enumerated() { _ = wheel.insert(due: due, value: UInt32(value)) }
        for (value, due) in dues.enumerated() {
            #expect(wheel.next() == due)
            #expect(wheel.expired(through: due - 1).isEmpty)
            #expect(wheel.expired(through: due) == [Expired(value: UInt32(value), due: due)])
            #expect(wheel.problem == nil)
        }
        #expect(wheel.next() == nil && wheel.count == 0)
    }

    @Test("a jump to a far time expires everything, in order of due time")
    func farJump() {
        let wheel = Wheel()
        for due in stride(from: Int64(100_000), to: 0, by: -7) {
            _ = wheel.insert(due: due, value: UInt32(due))
        }
        let dues = wheel.expired(through: .max).map(\.due)
        #expect(dues.count == wheelful && dues == dues.sorted())
        #expect(wheel.problem == nil)
    }

    private let wheelful = (100_000 + 6) / 7

    @Test("a clock set back neither loses nor repeats nor hurries an entry")
    func jumpBack() {
        let wheel = Wheel(now: 3_600_000)
        _ = wheel.insert(due: 3_700_000, value: 1)
        #expect(wheel.expired(through: 0).isEmpty)
        // Behind the wheel's time, but not yet due by the clock that was set back.
        _ = wheel.insert(due: 50, value: 2)
        #expect(wheel.next() == 50)
        #expect(wheel.expired(through: 49).isEmpty)
        #expect(wheel.expired(through: 50) == [Expired(value: 2, due: 50)])
        #expect(wheel.expired(through: 3_699_999).isEmpty)
        #expect(wheel.expired(through: 3_700_000) == [Expired(value: 1, due: 3_700_000)])
    }

    @Test(
        "takes the ends of the number range",
        arguments: [Int64.min, -1, 0, 1, Int64.max - 1] as [Int64]
    )
    func extremes(now: Int64) {
        let wheel = Wheel(now: now)
        for (value, due) in [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max].enumerated() {
            _ = wheel.insert(due: due, value: UInt32(value))
            #expect(wheel.problem == nil)
        }
        #expect(wheel.expired(through: .max).count == 7)
        #expect(wheel.problem == nil)
    }

    @Test("a handle that outlived its entry removes nothing")
    func staleHandle() {
        let wheel = Wheel()
        let first = wheel.insert(due: 10, value: 1)
        #expect(wheel.remove(first))
        let second = wheel.insert(due: 20, value: 2)
        #expect(!wheel.remove(first) && !wheel.remove(.none))
        #expect(wheel.count == 1 && wheel.next() == 20)
        #expect(wheel.remove(second) && wheel.next() == nil)
    }

    @Test("the next time is exact again after the earliest was removed")
    func nextAfterRemoval() {
        let wheel = Wheel()
        let first = wheel.insert(due: 70, value: 1)
        _ = wheel.insert(due: 100, value: 2)
        #expect(wheel.next() == 70)
        wheel.remove(first)
        #expect(wheel.next() == 100)
    }

    @Test("agrees with a sorted list over random operations", arguments: UInt64(0)..<60)
    func model(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var now = Int64.random(in: -1_000_000...1_000_000, using: &random)
        let wheel = Wheel(now: now)
        var model: [Entry] = []
        for step in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let bits = Int64.random(in: 0..<40, using: &random)
                let due = now + Int64.random(in: -50...(1 << bits) + 50, using: &random)
                let handle = wheel.insert(due: due, value: UInt32(step))
                model.append(Entry(value: UInt32(step), due: due, handle: handle))
            case 5..<7:
                guard let index = model.indices.randomElement(using: &random) else { continue }
                #expect(wheel.remove(model.remove(at: index).handle))
            case 7:
                now -= Int64.random(in: 0...5000, using: &random)
            default:
                let bits = Int64.random(in: 0..<36, using: &random)
                now += Int64.random(in: 0...(1 << bits), using: &random)
            }
            let got = Set(wheel.expired(through: now))
            let wanted = model.filter { $0.due <= now }.map {
                Expired(value: $0.value, due: $0.due)
            }
            model.removeAll { $0.due <= now }
            #expect(got == Set(wanted), "seed \(seed), step \(step)")
            #expect(wheel.next() == model.map(\.due).min(), "seed \(seed), step \(step)")
            #expect(wheel.problem == nil, "seed \(seed), step \(step)")
        }
        #expect(wheel.count == model.count)
    }

    private struct Entry {
        var value: UInt32
        var due: Int64
        var handle: TimingWheel.Handle
    }
}

/// Holds a wheel, because a macro cannot take what cannot be copied.
private final class Wheel {
    private var wheel: TimingWheel

    init(now: Int64 = 0) { wheel = TimingWheel(now: now) }

    var count: Int { wheel.count }
    var problem: String? { wheel.brokenInvariant() }

    func insert(due: Int64, value: UInt32) -> TimingWheel.Handle {
        wheel.insert(due: due, value: value)
    }

    @discardableResult
    func remove(_ handle: TimingWheel.Handle) -> Bool { wheel.remove(handle) }

    func next() -> Int64? { wheel.next() }

    func expired(through time: Int64) -> [Expired] {
        var list: [Expired] = []
        wheel.expire(through: time) { list.append(Expired(value: $0, due: $1)) }
        return list
    }
}

private struct Expired: Hashable {
    var value: UInt32
    var due: Int64
}
