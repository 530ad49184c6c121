import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ends connections rudely.
enum BrokenConnection {
    /// Cuts the connection so that the other side sees a reset, not an orderly end.
    static func reset(_ channel: any Channel) async {
        if let socket = channel as? any SocketOptionProvider {
            // With a linger time of zero, closing sends RST. Should it fail, the connection still ends.
            try? await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        // It may be closed already.
        try? await channel.close().get()
    }

    /// Says nothing for so long, or until the server stops; then cuts.
    static func hang(_ channel: any Channel, for hold: Duration) async {
        await pause(hold)
        await reset(channel)
    }

    /// Waits so long, or until the server stops.
    static func pause(_ duration: Duration) async {
        // It throws only when the server stops, and then the wait is over too.
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
    }
}
