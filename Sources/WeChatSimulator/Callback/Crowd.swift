extension WeChatSimulator {
    /// What became of a crowd of new followers.
    package struct CrowdReport: Sendable, Hashable {
        package var answered: Int
        package var failed: Int
        package var seconds: Double
    }

    /// So many new people follow at once, as after a broadcast: as fast as their callbacks are answered.
    package func crowd(
        _ people: Int,
        following appID: String
    ) async throws(SimulatorError) -> CrowdReport {
        _ = try account(appID)
        let started = ContinuousClock.now
        let lanes = min(max(people, 1), 256)
        let answered = await withTaskGroup(of: Int.self) { group in
            for lane in 0..<lanes {
                let share = people / lanes + (lane < people % lanes ? 1 : 0)
                group.addTask { await self.follow(appID, times: share) }
            }
            return await group.reduce(0, +)
        }
        let took = (ContinuousClock.now - started) / .seconds(1)
        return CrowdReport(answered: answered, failed: people - answered, seconds: took)
    }

    private func follow(_ appID: String, times: Int) async -> Int {
        var answered = 0
        for _ in 0..<times where !Task.isCancelled {
            // The account is there: accounts are never removed.
            if let report = try? await follow(appID), report.isAnswered { answered += 1 }
        }
        return answered
    }
}
