import CBelfryBench

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the kernel says a process uses. Linux only.
package enum ProcessUsage {
    /// Bytes of a process that are in memory.
    ///
    /// - Parameter process: its id, or `self`.
    /// - Throws: ``LoadFailure`` where there is no /proc.
    package static func residentBytes(of process: String = "self") throws -> Int {
        let text = try read("/proc/\(process)/statm")
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else {
            throw LoadFailure("/proc/\(process)/statm has no resident size: \(text)")
        }
        return pages * Int(getpagesize())
    }

    /// Gives memory that nobody uses back to the kernel, so that it does not hide what is taken next.
    package static func trim() { belfry_trim_memory() }

    /// How often each thread of this process has gone to sleep, and so was woken, since it began.
    static func sleeps() throws -> [Int: Int] {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        var sleeps: [Int: Int] = [:]
        for thread in threads.compactMap({ Int($0) }) {
            // It may have ended since it was listed.
            guard let status = try? read("/proc/self/task/\(thread)/status") else { continue }
            sleeps[thread] = voluntarySwitches(status)
        }
        return sleeps
    }

    /// - Parameter status: the text of a thread's `status` file.
    static func voluntarySwitches(_ status: String) -> Int? {
        let field = "voluntary_ctxt_switches:"
        return status.split(separator: "\n").first { $0.hasPrefix(field) }
            .flatMap { Int($0.dropFirst(field.count).filter { $0.isNumber }) }
    }

    /// Files of /proc have no size; what is asked of them here fits one read.
    private static func read(_ path: String) throws -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else {
            throw LoadFailure("\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = readBytes(of: file, into: &bytes)
        guard count > 0 else { throw LoadFailure("\(path) is empty") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

/// The system call, where a method has its name. Fills the buffer from its beginning.
func readBytes(of file: Int32, into buffer: inout [UInt8]) -> Int {
    buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
}
