package import BelfryCore
import Synchronization

/// Keeps webhooks out of the private network (SSRF): every address of the host must be public, or allowed by the operator.
///
/// The address that was checked is the one that is connected to (``HTTPCall/address``), so a name cannot change its mind in between.
package final class WebhookGuard: Sendable {
    /// What may be called although it is not public.
    package struct Allowed: Sendable, Hashable {
        package var blocks: [AddressBlock]
        /// Whole host names, in any case.
        package var hosts: Set<String>

        /// - Parameter entries: address blocks (`10.1.0.0/16`, `::1`) and host names.
        package init(_ entries: [String] = []) {
            blocks = entries.compactMap(AddressBlock.init)
            hosts = Set(entries.filter { AddressBlock($0) == nil }.map { $0.lowercased() })
        }

        /// Judges what can be known of a web address without looking its name up: its form, and where its host is an address itself
        /// or `localhost`, whether that is public. What a name stands for is judged when it is called.
        ///
        /// - Throws: ``HTTPFailure`` with `forbidden`.
        package func judge(_ url: String) throws(HTTPFailure) {
            let host = try WebAddress(url).host
            if let address = IPAddress(anySpelling: host) { try check([address], of: host) }
        }

        /// - Parameter found: what `host` stands for.
        func check(_ found: [IPAddress], of host: String) throws(HTTPFailure) {
            guard !hosts.contains(host.lowercased()) else { return }
            for address in found where !contains(address) {
                throw HTTPFailure(.forbidden, "\(address) is not a public address")
            }
        }

        private func contains(_ address: IPAddress) -> Bool {
            if blocks.contains(where: { $0.contains(address) }) { return true }
            if let inner = address.embedded {
                // ::1 and :: embed 0.0.0.1 and 0.0.0.0, which are not public either.
                return contains(inner)
            }
            return !SpecialAddresses.blocks.contains { $0.contains(address) }
        }
    }

    private struct Known {
        var address: String
        var until: Timestamp
    }

    private let allowed: Allowed
    private let resolver: any HostResolver
    private let clock: any WallClock
    private let known = Mutex<[String: Known]>([:])

    package init(
        allowed: Allowed = Allowed(),
        resolver: any HostResolver = SystemResolver(),
        clock: any WallClock
    ) {
        self.allowed = allowed
        self.resolver = resolver
        self.clock = clock
    }

    /// - Returns: the address to connect to. What was found is good for half a minute.
    /// - Throws: ``HTTPFailure`` with `forbidden`, or with `notConnected` where the name is not known.
    package func check(_ url: String) async throws(HTTPFailure) -> String {
        let host = try WebAddress(url).host
        let now = clock.now()
        if let hit = known.withLock({ $0[host] }), now < hit.until,
            hit.until <= now + Self.memory
        {
            return hit.address
        }
        let found: [IPAddress]
        if let literal = IPAddress(host) {
            found = [literal]
        } else {
            // Odd spellings of addresses (127.1, 0x7f000001, 2130706433) are read by the resolver as the connection would read them.
            found = try await resolver.resolve(host)
        }
        guard let first = found.first(where: \.isV4) ?? found.first else {
            throw HTTPFailure(.notConnected, "the host name has no address")
        }
        try allowed.check(found, of: host)
        remember(host, first.description, now)
        return first.description
    }

    private static let memory = Duration.seconds(30)
    private static let memorySize = 1000

    private func remember(_ host: String, _ address: String, _ now: Timestamp) {
        known.withLock { known in
            if known.count >= Self.memorySize { known.removeAll() }
            known[host] = Known(address: address, until: now + Self.memory)
        }
    }
}
