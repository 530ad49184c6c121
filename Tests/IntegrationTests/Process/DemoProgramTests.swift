import Foundation
import Testing

@Suite("belfry demo --once")
struct DemoProgramTests {
    private struct Summary: Decodable {
        struct Lateness: Decodable {
            var p50: Int64
            var p99: Int64
            var max: Int64
        }

        var followers: Int
        var planned: Int
        var outcomes: [String: Int]
        var lost: Int
        var early: Int
        var duplicated: Int
        var sentWithoutPermission: Int
        var lateness: Lateness
    }

    @Test("prints one JSON summary with the documented keys, and ends with 0 when it is clean")
    func once() async throws {
        let program = try Program(["demo", "--once", "--json", "--followers", "60"])
        #expect(try await program.ended(within: .seconds(60)) == 0, "\(program.err)")
        let summary = try JSONDecoder().decode(Summary.self, from: Data(program.out.utf8))
        #expect(summary.followers >= 60)
        #expect(summary.outcomes.values.reduce(0, +) == summary.planned)
        let broken = [
            summary.lost, summary.early, summary.duplicated, summary.sentWithoutPermission,
        ]
        #expect(broken == Array(repeating: 0, count: 4))
    }
}
