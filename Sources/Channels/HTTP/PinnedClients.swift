import AsyncHTTPClient
import Synchronization

/// HTTP clients that connect to one given address for one host, so that a name whose address was checked cannot be given another
/// one between the check and the connection (DNS rebinding). The certificate is still checked against the name.
///
/// The client library takes such an override for a whole client only; so there is one for each pair, and a bounded number of them.
final class PinnedClients: Sendable {
    fileprivate struct Key: Hashable {
        var host: String
        var address: String
    }

    fileprivate struct Entry {
        var client: HTTPClient
        var uses = 0
        var lastUse: UInt64
    }

    private struct Clients {
        var entries: [Key: Entry] = [:]
        var tick: UInt64 = 0
        var closed = false
    }

    private let configuration: HTTPClient.Configuration
    private let limit: Int
    private let clients = Mutex(Clients())

    init(configuration: HTTPClient.Configuration, limit: Int = 256) {
        self.configuration = configuration
        self.limit = limit
    }

    func with<Answer>(
        host: String,
        address: String,
        _ body: (HTTPClient) async throws -> Answer
    ) async throws -> Answer {
        let key = Key(host: host, address: address)
        let (client, evicted) = try take(key)
        for old in evicted {
            // It is idle: nothing but a second shutdown can fail.
            try? await old.shutdown()
        }
        defer { clients.withLock { $0.entries[key]?.uses -= 1 } }
        return try await body(client)
    }

    func shutdown() async {
        let all = clients.withLock { clients in
            clients.closed = true
            defer { clients.entries = [:] }
            return clients.entries.values.map(\.client)
        }
        for client in all {
            // As above.
            try? await client.shutdown()
        }
    }

    private func take(_ key: Key) throws -> (HTTPClient, evicted: [HTTPClient]) {
        try clients.withLock { clients in
            if clients.closed { throw HTTPClientError.alreadyShutdown }
            clients.tick += 1
            if let client = clients.entries[key]?.client {
                clients.entries[key]?.uses += 1
                clients.entries[key]?.lastUse = clients.tick
                return (client, [])
            }
            var evicted: [HTTPClient] = []
            while clients.entries.count >= limit, let oldest = clients.entries.oldestIdle() {
                if let entry = clients.entries.removeValue(forKey: oldest) {
                    evicted.append(entry.client)
                }
            }
            var configuration = configuration
            configuration.dnsOverride = [key.host: key.address]
            let client = HTTPClient(configuration: configuration)
            clients.entries[key] = Entry(client: client, uses: 1, lastUse: clients.tick)
            return (client, evicted)
        }
    }
}

extension Dictionary where Key == PinnedClients.Key, Value == PinnedClients.Entry {
    /// The one that was used least recently among those nobody uses.
    fileprivate func oldestIdle() -> Key? {
        filter { $0.value.uses == 0 }.min { $0.value.lastUse < $1.value.lastUse }?.key
    }
}
