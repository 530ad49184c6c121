import CBelfryDisk

/// CRC-32C, the checksum of every frame, block and section.
package enum Checksum {
    @inline(__always)
    package static func crc(_ bytes: UnsafeRawBufferPointer, from crc: UInt32 = 0) -> UInt32 {
        belfry_crc32c(crc, bytes.baseAddress, bytes.count)
    }
}
