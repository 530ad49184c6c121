import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryJournal

@Suite("A checkpoint that fails")
struct CheckpointFailureTests {
    private let clock = ManualClock()

    private func push(_ number: Int) -> Push {
        Push(
            id: PushID("p\(number)"),
            recipient: Recipient(account: "shop", person: "o\(number)"),
            due: clock.now() + .days(Int64(number + 1)),
            channel: "log",
            payload: Array("payload \(number)".utf8)
        )
    }

    @Test(
        "loses nothing, whichever write fails, whether the process or the power goes then",
        arguments: [false, true]
    )
    func everyWrite(powerCut: Bool) throws {
        let moment = Moment(clock)
        var limits = JournalConfiguration()
        limits.checkpointBytes = .max
        limits.blockBytes = 300
        limits.headroomBytes = 6000
        limits.reserveStepBytes = 3000
        var operation = 0
        var isThrough = false
        while !isThrough {
            let disk = SimulatedDisk()
            var lane = try Lane.open(disk, limits: limits, at: moment)
            for part in [0..<10, 10..<20] {
                let batch = try PushBatch(part.map { push($0) })
                _ = try lane.schedule(ScheduleCall(batch, key: lane.key), at: moment)
                if part.lowerBound == 0 { try lane.checkpoint(at: moment) }
            }
            // The run of the first ten is mostly dead, so that the checkpoint lets go of it.
            _ = try lane.cancel((0..<10).map { PushID("p\($0)") }, at: moment)
            try onDisk { () throws(StorageError) in try lane.flush() }
            disk.fail(at: disk.changes + operation, with: StorageError(.other, "no"))
            let before = disk.changes
            try? lane.checkpoint(at: moment)
            isThrough = disk.changes - before < operation
            disk.heal()
            // What comes next must not harm what the disk needs.
            try? lane.checkpoint(at: moment)
            lane.close()
            let left = powerCut ? disk.afterPowerCut(seed: UInt64(operation)) : disk
            var again = try Lane.open(left, limits: limits, at: moment)
            for number in 0..<20 {
                let found = try again.find(PushID("p\(number)"))
                #expect((found != nil) == (number >= 10), "p\(number), failed at \(operation)")
            }
            again.close()
            operation += 1
        }
        #expect(operation > 10)
    }
}
