#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Whether the data folder's disk has room. With less than ``least`` the journal cannot set aside the room that it keeps for ends, so that new pushes are
/// refused as soon as what it has is used up.
struct DiskRoom: Sendable {
    static let least: UInt64 = 8 << 20

    let folder: String

    var check: Check {
        var info = statvfs()
        guard statvfs(folder, &info) == 0 else {
            let reason = String(cString: strerror(errno))
            return Check("disk", problem: "\(folder) cannot be looked at: \(reason)")
        }
        let free = UInt64(info.f_bavail) * UInt64(info.f_frsize)
        guard free < Self.least else { return Check("disk") }
        return Check(
            "disk",
            problem:
                "\(folder) has \(free >> 10) KiB left: new pushes are refused below \(Self.least >> 20) MiB"
        )
    }
}
