import BelfryJournal
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Seeded lives of a lane on a simulated disk: see ``JournalSimulation``. `belfry simulate-disk` runs as many as one likes.
@Suite("The journal, simulated")
struct SimulationTests {
    /// `BELFRY_SIMULATION_SEEDS` asks for more.
    private static let seeds =
        getenv("BELFRY_SIMULATION_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 2000

    @Test(
        "keeps every promise through power cuts, failing and full disks, flipped bits and jumping clocks",
        arguments: 0..<8
    )
    func safety(part: UInt64) throws {
        for seed in stride(from: part, to: Self.seeds / 2, by: 8) {
            try JournalSimulation.run(seed: seed, mode: .safety, steps: 50)
        }
    }

    @Test("once the faults stop, everything that is due goes out", arguments: 0..<8)
    func liveness(part: UInt64) throws {
        for seed in stride(from: part, to: Self.seeds / 2, by: 8) {
            try JournalSimulation.run(seed: 1_000_000 + seed, mode: .liveness, steps: 50)
        }
    }

    @Test("a life repeats exactly by its seed")
    func repeats() {
        let failures = (0..<2).map { _ -> SimulationFailure? in
            for seed in UInt64(0)..<200 {
                do throws(SimulationFailure) {
                    try JournalSimulation.run(seed: seed, mutation: .forgetsCancels)
                } catch { return error }
            }
            return nil
        }
        #expect(failures[0] != nil)
        #expect(failures[0]?.description == failures[1]?.description)
    }

    @Test("a fault that is put into the engine is found", arguments: Mutation.allCases)
    func finds(mutation: Mutation) {
        for seed in UInt64(0)..<400 {
            do throws(SimulationFailure) {
                try JournalSimulation.run(seed: seed, mutation: mutation)
            } catch { return }
        }
        Issue.record("400 lives with \(mutation) broke no promise")
    }

    @Test(
        "lives that once failed",
        arguments: [15, 26, 29, 31, 47, 120, 252, 319, 320, 323, 685, 828, 3573, 17_227, 18_704]
    )
    func regressions(seed: UInt64) throws {
        try JournalSimulation.run(seed: seed, mode: seed % 2 == 0 ? .safety : .liveness)
    }
}
