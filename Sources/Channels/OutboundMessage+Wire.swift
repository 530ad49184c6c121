package import BelfryCore
import Crypto

extension OutboundMessage {
    /// By which a receiver knows a repetition: the same at every attempt, another for every version, as a push id alone names all steps of a flow.
    /// 36 ASCII characters.
    package var wireID: String {
        var hash = SHA256()
        for part in [recipient.account, recipient.person, id.text] {
            hash.update(data: Array("\(part.utf8.count):\(part)".utf8))
        }
        hash.update(data: Array(String(sequence).utf8))
        return "msg_" + Hex.text(hash.finalize().prefix(16))
    }

    /// The body that leaves: the message's own; where a collecting merge kept several, a JSON array of them, oldest first.
    package var wireBody: [UInt8] {
        guard !collected.isEmpty else { return body }
        let parts = collected + [body]
        return [UInt8(ascii: "[")] + parts.joined(separator: [UInt8(ascii: ",")])
            + [UInt8(ascii: "]")]
    }
}
