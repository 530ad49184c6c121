import BelfryCore

/// The bytes of one file, read as a whole.
struct WholeFile: ~Copyable {
    let bytes: UnsafeRawBufferPointer

    init(_ name: String, on disk: some Storage) throws(StorageError) {
        let file = try disk.open(name, .read)
        defer { disk.close(file) }
        let size = try disk.size(file)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 16)
        do throws(StorageError) {
            let count = try disk.read(
                file,
                at: 0,
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
            )
            bytes = UnsafeRawBufferPointer(start: buffer.baseAddress, count: count)
        } catch {
            buffer.deallocate()
            throw error
        }
    }

    deinit { bytes.deallocate() }
}
