package import BelfryBench

/// Puts the pushes of every benchmark into a peer, as many callers at a time as ours has.
package enum PeerLoad {
    /// - Parameters:
    ///   - serials: the pushes, in whole batches.
    ///   - prepare: lays out what one batch sends, before anything is measured.
    ///   - connect: opens a caller's connection; what it returns sends a batch and waits until the peer has accepted all of it.
    /// - Returns: seconds.
    package static func put<Request: Sendable>(
        _ serials: Range<Int>,
        prepare: (Range<Int>) throws -> Request,
        connect: @escaping @Sendable () throws -> (Request) throws -> Void
    ) async throws -> Double {
        let requests = try stride(
            from: serials.lowerBound,
            to: serials.upperBound,
            by: BenchPushes.batch
        ).map { try prepare($0..<min($0 + BenchPushes.batch, serials.upperBound)) }
        let clock = ContinuousClock()
        let start = clock.now
        try await Callers.run { caller in
            try await Blocking.run("belfry.peer.\(caller)") {
                let put = try connect()
                for number in stride(from: caller, to: requests.count, by: BenchPushes.callers) {
                    try put(requests[number])
                }
            }
        }
        return start.duration(to: clock.now) / .seconds(1)
    }

    /// A peer's row: its rate, held against Belfry's with the same pushes in the same run.
    package static func measurement(
        _ name: String,
        pushes: Int,
        seconds: Double,
        _ setting: BenchmarkSetting
    ) async throws -> Measurement {
        let ours = try await ScheduleLoad.rate(
            batches: setting.count(1000, least: 20),
            folder: setting.folder
        )
        return Measurement(name, Double(pushes) / seconds, "pushes/s", reference: ours)
    }

    /// A peer holds another number of pushes than it was given: no number of it means anything.
    package static func check(_ name: String, holds found: Int, of pushes: Int) throws {
        guard found == pushes else {
            throw LoadFailure("\(name) holds \(found) of \(pushes) pushes")
        }
    }
}
