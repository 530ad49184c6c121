package import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The HTTP server as a service: listens, answers, and on a graceful stop finishes what is being answered.
package struct HTTPService: Service {
    let application: Application<RouterResponder<ServerContext>>
    let server: ServerDependencies

    /// - Parameter listening: called once with the port that was bound.
    package init(
        _ server: ServerDependencies,
        listening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.server = server
        application = buildApplication(server, listening: listening)
    }

    /// - Throws: ``ListenFailure`` where the address cannot be listened on, or not without keys.
    package func run() async throws {
        try await refuseOpenDoor()
        try await withGracefulShutdownHandler {
            do {
                try await application.run()
            } catch let error where ListenFailure.explains(error) {
                let http = server.configuration.http
                throw ListenFailure(error, host: http.host, port: http.port)
            }
        } onGracefulShutdown: {
            // Streams never end by themselves, and would hold the stop up.
            server.feed.finish()
        }
    }

    /// Off loopback anybody can reach the API, so there must be keys.
    private func refuseOpenDoor() async throws {
        let configuration = server.configuration
        guard !configuration.isLoopback else { return }
        if configuration.http.auth == .loopbackOpen {
            throw ListenFailure(
                "http.auth is 'loopback-open', so \(configuration.http.host) is not listened on: "
                    + "anybody could use the API. Set http.auth to 'keys'."
            )
        }
        if try await server.keys.isEmpty() {
            throw ListenFailure(
                "There is no API key, so \(configuration.http.host) is not listened on: nobody "
                    + "could be told from anybody. Start once on 127.0.0.1, which makes an admin "
                    + "key, or make one with `belfry key create`."
            )
        }
    }
}

/// Puts router, limits and timeouts together; tests call it too.
package func buildApplication(
    _ server: ServerDependencies,
    listening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> Application<RouterResponder<ServerContext>> {
    let http = server.configuration.http
    let channel = HTTP1Channel.Configuration(
        idleTimeout: TimeAmount(http.idleTimeout),
        httpDecoderConfiguration: .init(
            maxHeaderFieldSize: http.headerBytesMax,
            maxHeaderListSize: http.headerBytesMax,
            maxHeaderFieldCount: 200
        )
    )
    return Application(
        router: buildRouter(server),
        server: HTTPServerBuilder { responder in
            GuardedHTTP1(
                base: HTTP1Channel(responder: responder, configuration: channel),
                bodyTimeout: http.bodyTimeout,
                writeTimeout: http.writeTimeout
            )
        },
        configuration: ApplicationConfiguration(
            address: .hostname(http.host, port: http.port),
            serverName: "belfry",
            availableConnectionsDelegate: MaximumAvailableConnections(http.connectionsMax)
        ),
        onServerRunning: { channel in await listening(channel.localAddress?.port ?? http.port) },
        logger: server.logger
    )
}

/// Every route behind the envelope; authentication belongs to each route, so that none can be forgotten by its place.
package func buildRouter(_ server: ServerDependencies) -> Router<ServerContext> {
    let api = API(server)
    let routes = api.routes
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    router.add(
        middleware: Envelope(
            routes: RouteIndex(routes),
            instruments: api.instruments,
            accessLog: server.configuration.http.accessLog
        )
    )
    for route in routes {
        router.on(RouterPath(route.path), method: route.method) { request, context in
            try await api.answer(route, request, context)
        }
    }
    return router
}
