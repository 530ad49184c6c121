import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder that is there as long as the test.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Parameter isMade: otherwise the path alone is free, for whoever makes its own folder.
    package init(isMade: Bool = true) {
        var template = Array((NSTemporaryDirectory() + "belfry-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no temporary folder can be made") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if !isMade { rmdir(path) }
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        for name in names(in: path) {
            let inner = path + "/" + name
            if unlink(inner) != 0 { remove(inner) }
        }
        rmdir(path)
    }

    /// What is in it, by name.
    package var names: [String] { names(in: path) }

    /// What is in a folder of it.
    package func names(of folder: String) -> [String] { names(in: "\(path)/\(folder)") }

    /// Turns a byte of a file over.
    package func flip(_ name: String, at offset: Int) {
        let file = open("\(path)/\(name)", O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        guard pread(file, &byte, 1, offset) == 1 else { fatalError("\(name) is too short") }
        byte ^= 0x10
        guard pwrite(file, &byte, 1, offset) == 1 else { fatalError("\(name) cannot be written") }
    }

    private func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
