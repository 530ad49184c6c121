package import BelfryRecords

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A folder that was in use has API keys, as they are never removed. Records without any, and without accounts, beside what only a server that had them
/// can have made: the records were lost, and a new first key would hide it.
package struct LostOwners: Sendable {
    package let problem: String
    package let cure: String

    /// - Parameter pending: pushes in the timeline.
    /// - Returns: `nil` where nothing speaks against a first start.
    package init?(_ configuration: ServerConfiguration, pending: Int) {
        var signs: [String] = []
        let key = configuration.adminKeyFile
        if FileManager.default.fileExists(atPath: key) { signs.append("\(key) is there") }
        if pending > 0 { signs.append("\(pending) pushes are pending") }
        guard !signs.isEmpty else { return nil }
        problem =
            "The records hold no account and no API key, but \(signs.joined(separator: " and ")): records.sqlite was lost, removed or replaced."
        cure =
            "Put it back from a copy of this folder, with its secret.key; what is pending is kept meanwhile. "
            + "If a very first start was interrupted, or you want to begin anew, remove \(key)"
            + (pending > 0 ? " and move the folder timeline away." : ".")
    }
}

extension Records {
    /// Whether anybody could use a server with these records.
    package func isOwned() async throws(RecordsError) -> Bool {
        if try await !keys.all().isEmpty { return true }
        return try await !accounts.all().isEmpty
    }
}
