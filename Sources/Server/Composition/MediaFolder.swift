package import BelfryWeChat
import FoundationEssentials

/// The media files that an account's flows name: `media/<account>/` in the data folder.
package struct MediaFolder: MediaFiles {
    let path: String

    package func load(_ reference: MediaReference) async throws(InvalidMessage) -> MediaFile {
        MediaFile(kind: reference.kind, bytes: try read(reference.name))
    }

    private func read(_ name: String) throws(InvalidMessage) -> [UInt8] {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.utf8.contains(0), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else {
            throw InvalidMessage(
                field: "file",
                problem: "'\(name)' is no path inside the account's media folder"
            )
        }
        do {
            return Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)")))
        } catch {
            throw InvalidMessage(
                field: "file",
                problem: "'\(name)' cannot be read from the account's media folder \(path)"
            )
        }
    }
}
