import ArgumentParser
import BelfryJournal

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry simulate-disk`: lives of the embedded timeline on a simulated disk and clock, with everything that can go wrong.
struct SimulateDisk: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-disk",
        abstract: "Prove the embedded timeline on a simulated disk, seed by seed.",
        discussion: """
            Each seed is one life: random calls, power cuts, torn and lost writes, input/output errors, a full disk, flipped bits and \
            jumping clocks, judged after every step by a small model. A failing seed is printed with what led to it; --from SEED \
            --seeds 1 replays it. Ends with 70 if a promise was broken.
            """
    )

    @Option(help: "How many lives.")
    var seeds: UInt64 = 2000
    @Option(help: "The first seed.")
    var from: UInt64 = 0
    @Option(help: "Steps in a life.")
    var steps = 80
    @Option(help: "safety, or liveness: then the faults stop in the end. (default: both in turns)")
    var mode: String?
    @Option(
        help: ArgumentHelp(
            "Put a fault into the engine that must be found: \(Mutation.allCases.map(\.rawValue).joined(separator: ", "))."
        )
    )
    var mutation: String?
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard seeds > 0, steps > 0 else {
            throw ValidationError("--seeds and --steps must be above 0.")
        }
        if let mode, JournalSimulation.Mode(rawValue: mode) == nil {
            throw ValidationError("--mode is safety or liveness.")
        }
        if let mutation, Mutation(rawValue: mutation) == nil {
            throw ValidationError("There is no mutation '\(mutation)'.")
        }
    }

    func run() async throws {
        let failure = await firstFailure()
        if json {
            try printJSON(Report(from: from, seeds: seeds, failure: failure.map { "\($0)" }))
        } else {
            print(failure.map { "\($0)" } ?? "\(seeds) lives, no promise broken")
        }
        if failure != nil { throw ExitCode(70) }
    }

    /// Lives side by side, as many as there are cores.
    private func firstFailure() async -> SimulationFailure? {
        let lanes = UInt64(max(1, ProcessInfo.processInfo.activeProcessorCount))
        return await withTaskGroup(of: SimulationFailure?.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    failure(in: stride(from: from + lane, to: from + seeds, by: Int(lanes)))
                }
            }
            for await failure in group {
                guard let failure else { continue }
                group.cancelAll()
                return failure
            }
            return nil
        }
    }

    private func failure(in seeds: StrideTo<UInt64>) -> SimulationFailure? {
        let fixed = mode.flatMap { JournalSimulation.Mode(rawValue: $0) }
        for seed in seeds where !Task.isCancelled {
            do throws(SimulationFailure) {
                try JournalSimulation.run(
                    seed: seed,
                    mode: fixed ?? (seed % 2 == 0 ? .safety : .liveness),
                    steps: steps,
                    mutation: mutation.flatMap { Mutation(rawValue: $0) }
                )
            } catch { return error }
        }
        return nil
    }

    private struct Report: Encodable {
        var from: UInt64
        var seeds: UInt64
        var failure: String?
    }
}
