import BelfryClusterDemo
import Foundation
import Synchronization
import Testing

@Suite("A coupon rush on a cluster")
struct ClusterDemoTests {
    /// Beside the test bundle, where the build puts both.
    private static let belfry: String = {
        let bundles = Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }
        let folders =
            bundles.map { $0.bundleURL.deletingLastPathComponent() }
            + [URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()]
        let paths = folders.map { $0.appending(path: "belfry").path() }
        return paths.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "belfry"
    }()

    @Test(
        "forgets nobody and tells nobody early, though a worker and a primary of Redis are killed in the middle"
    )
    func rush() async throws {
        let lines = Lines()
        let demo = ClusterDemo(
            people: 2_000,
            opensIn: .seconds(40),
            belfry: Self.belfry,
            tell: { lines.add($0) }
        )
        let report = try await demo.run()
        #expect(report.isClean, "\(report.text)\n\(lines.text)")
        #expect(report.promised == 1_800)
        #expect(report.messages == 1_800 + report.doubled)
        #expect(report.cancels == 400 && report.comebacks == 200)
        #expect(lines.text.contains("told: killed worker-"), "\(lines.text)")
        #expect(lines.text.contains("killed the primary of Redis"), "\(lines.text)")
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    var text: String { lines.withLock { $0.joined(separator: "\n") } }
}
