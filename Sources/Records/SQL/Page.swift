import BelfryCore
import Foundation

/// One page of a list, and how to ask for the one after it.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Opaque; `nil` on the last page.
    package var next: String?

    /// - Parameter items: up to `limit`, and one more where there is a next page.
    init(_ items: [Item], limit: Int, cursor: (Item) -> PageCursor) {
        let more = items.count > limit
        self.items = Array(items.prefix(limit))
        next = more ? self.items.last.map { cursor($0).encoded } : nil
    }

    static func bounded(_ limit: Int) -> Int { min(max(1, limit), TextLimits.page) }
}

/// Where a page ended: the position of its last row in the order of the list, so that rows added or purged meanwhile neither double
/// nor skip others.
struct PageCursor: Sendable, Hashable {
    var at = Timestamp(milliseconds: 0)
    var id: Int64 = 0
    var text = ""

    /// `1;<at>;<id>;<text>` in base64url. The 1 is the form's version.
    var encoded: String {
        Data("1;\(at.milliseconds);\(id);\(text)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    init(at: Timestamp = Timestamp(milliseconds: 0), id: Int64 = 0, text: String = "") {
        self.at = at
        self.id = id
        self.text = text
    }

    /// - Throws: `invalid`: it is not a cursor that we gave out.
    init(_ encoded: String) throws(RecordsError) {
        let wrong = RecordsError(.invalid, "cursor: is not one that this server gave out")
        guard encoded.utf8.count <= 1024 else { throw wrong }
        var base64 = encoded.replacing("-", with: "+").replacing("_", with: "/")
        while base64.utf8.count % 4 != 0 { base64 += "=" }
        guard let data = Data(base64Encoded: base64),
            let plain = String(validating: data, as: UTF8.self)
        else { throw wrong }
        let parts = plain.split(
            separator: ";",
            maxSplits: 3,
            omittingEmptySubsequences: false
        )
        guard parts.count == 4, parts[0] == "1", let at = Int64(parts[1]), let id = Int64(parts[2])
        else { throw wrong }
        self.init(at: Timestamp(milliseconds: at), id: id, text: String(parts[3]))
    }
}
