import BelfryActivation
import BelfryCore
import Foundation
import Testing

@Suite("Example flows")
struct ExampleFlowsTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Examples/flows")

    private static func read(_ name: String) throws -> ParsedFlow {
        try FlowYAML.parse([UInt8](Data(contentsOf: folder.appending(path: name))))
    }

    @Test("every example passes the check under today's rules without a warning")
    func accepted() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".yaml") }
        #expect(names.count >= 3)
        for name in names {
            let findings = FlowCheck.report(try Self.read(name), rules: .wechat2023)
            let bad = findings.filter { $0.severity != .note }
            #expect(bad.isEmpty, "\(name): \(bad)")
            let flow = try Self.read(name).flow
            #expect(try FlowYAML.parse(FlowYAML.export(flow)).flow == flow)
        }
    }

    @Test("the welcome reaches a silent follower twice, and one who answers all the way")
    func welcome() throws {
        let flow = try Self.read("welcome.yaml").flow
        func sent(_ acts: [String]) throws -> [String] {
            FlowSimulator.run(
                flow,
                rules: .wechat2023,
                scenario: try Scenario.parse(acts, zone: .shanghai)
            ).filter { $0.kind == .sent }.compactMap(\.step)
        }
        #expect(try sent(["follow 2026-11-20T10:00"]) == ["hello", "how-to"])
        #expect(
            try sent(["follow 2026-11-20T10:00", "message 2026-11-20T10:01 1"])
                == ["hello", "how-to", "thanks", "next-morning"]
        )
    }
}
