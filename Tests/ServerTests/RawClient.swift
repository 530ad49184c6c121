import NIOCore
import NIOPosix
import Synchronization

/// A client that sends what it is told, well-formed or not, and shows what comes back.
enum RawClient {
    /// Sends `text`, and reads until the server closes or `enough` says so.
    static func exchange(
        _ text: String,
        port: Int,
        until enough: @escaping @Sendable (String) async -> Bool = { _ in false }
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        let received = Mutex("")
        do {
            try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: text))
                for try await buffer in inbound {
                    let all = received.withLock { received in
                        received += String(buffer: buffer)
                        return received
                    }
                    if await enough(all) { break }
                }
            }
        } catch is ChannelError {
            // The server closed before we did: that is what some tests are about.
        }
        return received.withLock { $0 }
    }
}
