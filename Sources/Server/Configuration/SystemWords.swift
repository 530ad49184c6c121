import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the system said of a file, in its own few words: Foundation wraps them in codes and lists that help nobody.
func systemWords(_ error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    if let cause = error.userInfo["NSUnderlyingError"] as? POSIXError {
        return String(cString: strerror(cause.code.rawValue))
    }
    return error.code == .fileReadInapplicableStringEncoding || error.code == .fileReadCorruptFile
        ? "it is not UTF-8 text" : "error \(error.code.rawValue)"
}
