import BelfryCore
import Foundation
import Testing

@testable import BelfryRedis

@Suite("What is kept of changes until replicas have them")
struct IntentLogTests {
    private let folder = NSTemporaryDirectory() + "belfry-intents-\(UUID())"

    @Test("is there again after a restart, in order")
    func keeps() async throws {
        defer { remove() }
        let log = try IntentLog(folder: folder)
        try await log.append([intent(1), intent(2)])
        await withTaskGroup(of: Void.self) { group in
            for number in 3..<40 {
                group.addTask {
                    do { try await log.append([intent(number)]) } catch { Issue.record(error) }
                }
            }
        }
        log.close()
        let again = try IntentLog(folder: folder)
        let found = try await again.read { _ in true }
        #expect(found.prefix(2) == [intent(1), intent(2)])
        #expect(Set(found.map(\.change)) == Set(1..<40))
        #expect(try await again.read { $0.change == 7 } == [intent(7)])
        again.close()
        let error = await #expect(throws: TimelineError.self) {
            try await again.append([intent(1)])
        }
        #expect(error?.code == .closed)
    }

    @Test("forgets whole files, the oldest first, and only when told to")
    func forgets() async throws {
        defer { remove() }
        let log = try IntentLog(folder: folder)
        try await log.append([intent(1)])
        #expect(try await log.roll() == nil, "too little to be worth a file")
        try await log.append([intent(2, bytes: 100_000)])
        let number = try #require(try await log.roll())
        try await log.append([intent(3, bytes: 100_000)])
        try await log.forget(before: number)
        #expect(try await log.read { _ in true }.map(\.change) == [3])
        _ = try await log.roll()
        try await log.append([intent(4)])
        #expect(try await log.trim(to: 1000) > 100_000)
        #expect(try await log.read { _ in true }.map(\.change) == [4])
        log.close()
    }

    @Test("leaves out what was being written when the machine stopped, wherever that was")
    func torn() async throws {
        defer { remove() }
        let log = try IntentLog(folder: folder)
        try await log.append([intent(1)])
        let whole = try size()
        try await log.append([intent(2)])
        let end = try size()
        log.close()
        let bytes = try Data(contentsOf: file)
        for length in stride(from: end - 1, through: whole, by: -7) {
            try bytes.prefix(length).write(to: file)
            let again = try IntentLog(folder: folder)
            #expect(try await again.read { _ in true } == [intent(1)], "cut at \(length)")
            try await again.append([intent(3)])
            again.close()
            let last = try IntentLog(folder: folder)
            #expect(try await last.read { _ in true } == [intent(1), intent(3)])
            last.close()
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name != file.lastPathComponent {
                try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
        }
    }

    @Test("does not begin on damage, and says where it is")
    func damaged() async throws {
        defer { remove() }
        let log = try IntentLog(folder: folder)
        try await log.append([intent(1)])
        log.close()
        // A file that is not the last was written whole.
        try IntentLog(folder: folder).close()
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: file)
        let error = #expect(throws: TimelineError.self) { try IntentLog(folder: folder) }
        #expect(error?.code == .corrupt)
        #expect(
            error?.message.contains("intents-1.log, byte 32") == true,
            "\(error?.message ?? "")"
        )
    }

    private var file: URL { URL(filePath: "\(folder)/intents-1.log") }

    private func size() throws -> Int { try Data(contentsOf: file).count }

    private func remove() {
        // A test's leavings, in a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }
}

private func intent(_ number: Int, bytes: Int = 10) -> Intent {
    var head: [UInt8] = []
    head.append(number: Int64(number), 6)
    head += [UInt8](repeating: 0, count: 12) + [1, 0]
    return Intent(
        shard: number % 5,
        bytes: head + [UInt8](repeating: UInt8(number % 256), count: bytes)
    )
}
