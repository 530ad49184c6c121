import BelfryCore
import BelfrySimulation

/// A clock that a test may move ahead when nothing is left to do before `time`.
protocol TestClock: WallClock {
    func pass(to time: Timestamp)
}

extension JumpingClock: TestClock {
    func pass(to time: Timestamp) { jump(to: time) }
}

extension ManualClock: TestClock {
    func pass(to time: Timestamp) { set(time) }
}

/// The machine's own time: nobody moves it, one waits.
extension SystemClock: TestClock {
    func pass(to time: Timestamp) {}
}
