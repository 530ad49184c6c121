import NIOCore
import NIOPosix

/// Somebody else who listens.
struct ServerBootstrapProbe {
    let channel: any Channel
    var port: Int { channel.localAddress?.port ?? 0 }

    static func listen() async throws -> ServerBootstrapProbe {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        return ServerBootstrapProbe(channel: channel)
    }

    func close() async throws { try await channel.close() }
}
