import Foundation
import Testing

/// Which modules each folder of `Sources` may import: the arrows of the architecture, as a test.
///
/// The C library (Glibc, Musl, Darwin) and Synchronization are open to all.
private let allowed: [String: Set<String>] = [
    "Core": [],
    "TimingWheel": [],
    "Timelines/Journal": ["BelfryCore", "BelfryTimingWheel", "CBelfryDisk"],
    // Of the journal: how it writes to disks.
    "Timelines/Redis": ["BelfryCore", "BelfryJournal", "BelfryRedisClient", "Crypto", "NIOPosix"],
    "RedisClient": ["BelfryCore", "CHiredis", "Crypto", "NIOCore", "NIOPosix", "NIOSSL"],
    "PostgresClient": ["BelfryCore", "CLibPQ"],
    "Timelines/Postgres": ["BelfryCore", "BelfryPostgresClient"],
    // Engines by their seam alone.
    "Timelines/Moving": ["BelfryCore"],
    "Simulation": ["BelfryCore"],
    "Delivery": ["BelfryCore", "DequeModule", "Histogram", "Logging"],
    "WeChat": [
        "BelfryCore", "Crypto", "CryptoExtras", "Foundation", "FoundationEssentials",
    ],
    "Activation": ["BelfryCore", "BelfryWeChat", "Foundation", "FoundationEssentials", "Yams"],
    "Records": [
        "BelfryCore", "BelfryPostgresClient", "Crypto", "Foundation", "FoundationEssentials",
        "GRDB",
    ],
    "Channels": [
        "AsyncHTTPClient", "BelfryCore", "BelfryRedisClient", "BelfryWeChat", "CRabbitMQ", "Crypto",
        "Foundation",
        "FoundationEssentials", "Logging", "NIOConcurrencyHelpers", "NIOCore", "NIOHTTP1",
        "NIOPosix",
    ],
    // The API's caller: knows the server by its address alone.
    "Client": [
        "AsyncHTTPClient", "Foundation", "FoundationEssentials", "NIOCore", "NIOHTTP1",
    ],
    // What is wrong with a data folder.
    "Doctor": [
        "BelfryCore", "BelfryJournal", "BelfryPostgres", "BelfryPostgresClient",
        "BelfryRecords", "BelfryRedis", "BelfryRedisClient", "BelfryServer",
        "Foundation", "FoundationEssentials",
    ],
    // The judge: nothing of what it judges, not even the words.
    "WeChatSimulator": [
        "AsyncHTTPClient", "Crypto", "CryptoExtras", "DequeModule", "Foundation",
        "FoundationEssentials", "FoundationXML", "HTTPTypes", "Hummingbird", "Logging", "NIOCore",
        "NIOHTTP1", "NIOPosix", "ServiceLifecycle",
    ],
]

private let everywhere: Set<String> = ["Darwin", "Glibc", "Musl", "Synchronization"]

/// Folders that run in simulations: a task outside the tree would escape them.
private let simulated = ["Core", "TimingWheel", "Timelines/Journal", "Delivery", "Activation"]

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

private func swiftFiles(in folder: String) throws -> [String] {
    let path = root.appending(path: "Sources/\(folder)").path()
    return try FileManager.default.subpathsOfDirectory(atPath: path)
        .filter { $0.hasSuffix(".swift") }.map { "Sources/\(folder)/\($0)" }
}

private func imports(of line: Substring) -> Substring? {
    let words = line.split(separator: " ")
    guard let at = words.firstIndex(of: "import"), at <= 2, !line.contains("//"),
        !line.contains("\""),
        let module = words.dropFirst(at + 1).first
    else { return nil }
    return ["struct", "class", "enum", "func", "protocol"].contains(module)
        ? words.dropFirst(at + 2).first?.split(separator: ".").first : module
}

@Suite("The architecture")
struct ImportTableTests {
    @Test("each folder imports only what lies below it", arguments: allowed.keys.sorted())
    func imports(folder: String) throws {
        let files = try swiftFiles(in: folder)
        #expect(!files.isEmpty)
        let permitted = try #require(allowed[folder]).union(everywhere)
        for file in files {
            let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            {
                guard let module = TidyTests.imports(of: line) else { continue }
                #expect(
                    permitted.contains(String(module)),
                    "\(file):\(number + 1) imports \(module)"
                )
            }
        }
    }

    @Test("no task escapes from what is simulated", arguments: simulated)
    func structured(folder: String) throws {
        for file in try swiftFiles(in: folder) {
            let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
                .replacing("addTask {", with: "")  // A child of a group is inside the tree.
            #expect(!text.contains("Task {") && !text.contains("Task.detached"), "\(file)")
        }
    }

    @Test("every file fits a few screens, and what shares memory unchecked says why")
    func files() throws {
        for file in try swiftFiles(in: "") {
            let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 700, "\(file) has \(lines.count) lines")
            for (number, line) in lines.enumerated() where line.contains("@unchecked Sendable") {
                let above = lines[max(0, number - 6)..<number]
                #expect(
                    above.contains { $0.contains("//") },
                    "\(file):\(number + 1) gives no proof"
                )
            }
            for marker in ["TO" + "DO", "FIX" + "ME"] {
                #expect(!text.contains(marker), "\(file) leaves a \(marker)")
            }
        }
    }
}
