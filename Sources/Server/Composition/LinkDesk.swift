import BelfryActivation
import BelfryCore
import BelfryRecords
import Crypto
import FoundationEssentials
import Synchronization

/// Makes the tracked links of one message. A link's code is derived from the push and the address, so that deciding again gives the same.
final class LinkDesk: Sendable {
    private let claim: Claim
    private let flow: String
    private let base: String?
    private let now: Timestamp
    private let made = Mutex<[String: String]>([:])

    init(_ claim: Claim, flow: String, account: Account, now: Timestamp) {
        self.claim = claim
        self.flow = flow
        base = account.record.publicURL
        self.now = now
    }

    /// Links can only lead here where people's browsers can find this server.
    var isTracking: Bool { base != nil }

    /// The tracked address for `link`.
    func code(for link: String) -> String {
        var hash = SHA256()
        hash.update(data: Array("\(claim.push.id.text)\n\(claim.sequence)\n\(link)".utf8))
        let code = Data(hash.finalize().prefix(9)).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_")
        made.withLock { $0[code] = link }
        let base = base ?? ""
        return "\(base.hasSuffix("/") ? String(base.dropLast()) : base)/l/\(code)"
    }

    /// What to store before the message is sent.
    func links(of body: [UInt8]) -> [LinkRecord] {
        made.withLock { $0 }.map { code, url in
            LinkRecord(
                code: code,
                url: url,
                recipient: claim.push.recipient,
                push: claim.push.id,
                flow: flow,
                created: now
            )
        }
    }
}
