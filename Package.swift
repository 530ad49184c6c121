// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    // Say `any` where a value is boxed: the cost shows in the source.
    .enableUpcomingFeature("ExistentialAny"),
    // An import is internal unless the API needs it; a file names the modules it uses.
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // An async function runs where its caller runs; leaving is said with @concurrent.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let asyncHTTPClient = Target.Dependency.product(
    name: "AsyncHTTPClient",
    package: "async-http-client"
)
let configuration = Target.Dependency.product(
    name: "Configuration",
    package: "swift-configuration"
)
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(
    name: "HummingbirdCore",
    package: "hummingbird"
)
let hummingbirdTesting = Target.Dependency.product(
    name: "HummingbirdTesting",
    package: "hummingbird"
)
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let unixSignals = Target.Dependency.product(
    name: "UnixSignals",
    package: "swift-service-lifecycle"
)
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A module `Belfry<name>`: folders read like the picture of the architecture, modules carry the prefix.
func module(
    _ name: String,
    path: String? = nil,
    _ dependencies: [Target.Dependency],
    resources: [Resource]? = nil,
    exclude: [String] = []
) -> Target {
    .target(
        name: "Belfry\(name)",
        dependencies: dependencies,
        path: path ?? "Sources/\(name)",
        exclude: exclude,
        resources: resources,
        swiftSettings: settings
    )
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil)
    -> Target
{
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/\(name)",
        resources: resources,
        swiftSettings: settings
    )
}

let package = Package(
    name: "belfry",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "belfry", targets: ["belfry"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // Its default trait, JSON, links all of Foundation.
        .package(
            url: "https://github.com/apple/swift-configuration",
            from: "1.4.0",
            traits: ["CommandLineArguments"]
        ),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird",
            from: "2.28.1",
            traits: ["ConfigurationSupport"]
        ),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // MARK: The words, the seams, and what is pure

        module("Core", []),
        module("TimingWheel", []),
        module("WeChat", ["BelfryCore", crypto, cryptoExtras]),
        module("Activation", ["BelfryCore", "BelfryWeChat", yams]),
        module("Simulation", ["BelfryCore"]),

        // MARK: Engines

        .target(name: "CBelfryDisk", path: "Sources/CBelfryDisk"),

        module(
            "Journal",
            path: "Sources/Timelines/Journal",
            ["BelfryCore", "BelfryTimingWheel", "CBelfryDisk"]
        ),
        .systemLibrary(
            name: "CHiredis",
            path: "Sources/CHiredis",
            pkgConfig: "hiredis",
            providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]
        ),
        module(
            "RedisClient",
            ["BelfryCore", "CHiredis", crypto, nioCore, nioPosix, nioSSL]
        ),
        module(
            "Redis",
            path: "Sources/Timelines/Redis",
            ["BelfryCore", "BelfryJournal", "BelfryRedisClient", crypto, nioPosix],
            resources: [.embedInCode("Scripts")]
        ),
        .systemLibrary(
            name: "CLibPQ",
            path: "Sources/CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        module("PostgresClient", ["BelfryCore", "CLibPQ"]),
        module(
            "Postgres",
            path: "Sources/Timelines/Postgres",
            ["BelfryCore", "BelfryPostgresClient"],
            resources: [.embedInCode("Scripts")]
        ),
        // Two engines at a time, while pushes move from one to the other.
        module("Moving", path: "Sources/Timelines/Moving", ["BelfryCore"]),
        module("Delivery", ["BelfryCore", collections, histogram, logging]),
        module("Records", ["BelfryCore", "BelfryPostgresClient", crypto, grdb]),
        module(
            "Channels",
            [
                "BelfryCore", "BelfryRedisClient", "BelfryWeChat", "CRabbitMQ", asyncHTTPClient,
                crypto, nioCore, nioHTTP1, nioPosix,
            ]
        ),
        .systemLibrary(
            name: "CRabbitMQ",
            pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"]), .brew(["rabbitmq-c"])]
        ),

        // MARK: The judge: shares no code with what it judges

        module(
            "WeChatSimulator",
            [
                asyncHTTPClient, crypto, cryptoExtras, hummingbird, logging, nioCore, nioHTTP1,
                serviceLifecycle,
            ]
        ),

        // MARK: Composition

        module(
            "Server",
            [
                "BelfryActivation", "BelfryChannels", "BelfryCore", "BelfryDelivery",
                "BelfryJournal", "BelfryMoving", "BelfryPostgres", "BelfryPostgresClient",
                "BelfryRecords", "BelfryRedis", "BelfryRedisClient", "BelfryWeChat",
                asyncHTTPClient,
                configuration,
                crypto, histogram, hummingbird, hummingbirdCore, logging, metrics, mustache,
                nioCore,
                nioHTTP1,
                serviceLifecycle, unixSignals, yams,
            ],
            resources: [.embedInCode("Console/Assets")]
        ),
        // MARK: The demonstration

        module(
            "Demo",
            [
                "BelfryActivation", "BelfryCore", "BelfryDelivery", "BelfryJournal",
                "BelfryRecords", "BelfryServer",
                "BelfrySimulation", "BelfryWeChatSimulator", logging, serviceLifecycle,
            ],
            // The examples that stand in the documentation are the ones that run.
            resources: ["welcome", "spring-qr", "lesson"].map {
                .embedInCode("../../Examples/flows/\($0).yaml")
            }
        ),

        // MARK: The command line

        module("Client", [asyncHTTPClient, nioCore]),
        .target(name: "CBelfryBench", path: "Sources/CBelfryBench"),
        module(
            "Bench",
            [
                "BelfryChannels", "BelfryCore", "BelfryDelivery", "BelfryJournal", "BelfryRecords",
                "BelfryServer", "BelfrySimulation", "BelfryWeChat", "CBelfryBench", argumentParser,
                histogram,
                hummingbird, logging, nioCore,
            ]
        ),
        // Other servers, measured with the same pushes.
        module(
            "Peers",
            [
                "BelfryBench", "BelfryCore", "BelfryDelivery", "BelfryRedis", "BelfryRedisClient",
                "CHiredis", logging,
            ]
        ),
        module(
            "Doctor",
            [
                "BelfryCore", "BelfryJournal", "BelfryPostgres", "BelfryPostgresClient",
                "BelfryRecords", "BelfryRedis", "BelfryRedisClient", "BelfryServer",
            ]
        ),
        .executableTarget(
            name: "belfry",
            dependencies: [
                "BelfryActivation", "BelfryBench", "BelfryClient", "BelfryCore", "BelfryDemo",
                "BelfryDoctor", "BelfryJournal", "BelfryRecords", "BelfryServer",
                "BelfrySimulation", "BelfryWeChatSimulator", logging, argumentParser,
            ],
            path: "Sources/belfry",
            swiftSettings: settings
        ),

        // MARK: Servers of somebody else, started for a test or a demonstration

        module("RedisProcess", path: "Sources/Processes/Redis", []),
        module(
            "PostgresProcess",
            path: "Sources/Processes/Postgres",
            ["BelfryPostgresClient", "BelfryRedisProcess"]
        ),
        module(
            "RabbitMQProcess",
            path: "Sources/Processes/RabbitMQ",
            ["BelfryPeers", "BelfryRedisProcess", "CRabbitMQ"]
        ),
        module(
            "ClusterDemo",
            [
                "BelfryClient", "BelfryCore", "BelfryPeers", "BelfryPostgresProcess",
                "BelfryRabbitMQProcess", "BelfryRedisProcess",
            ]
        ),

        // MARK: Tests

        module(
            "TimelineConformance",
            path: "Tests/TimelineConformance",
            ["BelfryCore", "BelfrySimulation"]
        ),
        // What the tests of several modules need.
        module(
            "TestSupport",
            path: "Tests/TestSupport",
            [hummingbird, logging]
        ),
        tests("CoreTests", ["BelfryCore", "BelfrySimulation"]),
        tests("TimingWheelTests", ["BelfryTimingWheel", "BelfryCore"]),
        tests(
            "JournalTests",
            [
                "BelfryJournal", "BelfrySimulation", "BelfryTestSupport",
                "BelfryTimelineConformance", "journal-crash-child",
            ]
        ),
        // Killed by JournalTests, again and again.
        .executableTarget(
            name: "journal-crash-child",
            dependencies: ["BelfryCore", "BelfryJournal"],
            path: "Tests/JournalCrashChild",
            swiftSettings: settings
        ),
        tests(
            "MovingTests",
            [
                "BelfryJournal", "BelfryMoving", "BelfryPostgres", "BelfryPostgresProcess",
                "BelfryRedis", "BelfryRedisClient", "BelfryRedisProcess", "BelfrySimulation",
                "BelfryTestSupport", "BelfryTimelineConformance",
            ]
        ),
        // Against real servers, which the tests start and stop.
        tests(
            "RedisTests",
            [
                "BelfryJournal", "BelfryRedis", "BelfryRedisClient", "BelfryRedisProcess",
                "BelfrySimulation", "BelfryTestSupport", "BelfryTimelineConformance",
                nioPosix,
            ]
        ),
        tests(
            "PostgresTests",
            [
                "BelfryPostgres", "BelfryPostgresClient", "BelfryPostgresProcess",
                "BelfrySimulation", "BelfryTimelineConformance",
            ]
        ),
        tests("WeChatTests", ["BelfryCore", "BelfrySimulation", "BelfryWeChat"]),
        tests("ActivationTests", ["BelfryActivation"]),
        tests("DeliveryTests", ["BelfryDelivery", "BelfryJournal", "BelfrySimulation"]),
        tests(
            "RecordsTests",
            [
                "BelfryPostgresClient", "BelfryPostgresProcess", "BelfryRecords",
                "BelfrySimulation", "BelfryTestSupport",
            ]
        ),
        tests(
            "ChannelsTests",
            [
                "BelfryChannels", "BelfryCore", "BelfryRabbitMQProcess", "BelfryRedisClient",
                "BelfryRedisProcess", "BelfrySimulation", "BelfryTestSupport", "BelfryWeChat",
                hummingbird, logging, nioCore, nioPosix,
            ]
        ),
        tests(
            "WeChatSimulatorTests",
            ["BelfryWeChatSimulator", asyncHTTPClient, hummingbird, nioCore, nioHTTP1]
        ),
        tests(
            "ServerTests",
            [
                "BelfryActivation", "BelfryCore", "BelfryDelivery", "BelfryRecords",
                "BelfryServer", "BelfrySimulation", "BelfryTestSupport", hummingbird,
                hummingbirdTesting, logging, nioCore, nioPosix,
            ]
        ),
        tests(
            "IntegrationTests",
            [
                "BelfryActivation", "BelfryChannels", "BelfryClient", "BelfryCore",
                "BelfryDelivery",
                "BelfryDemo", "BelfryJournal", "BelfryPostgresProcess",
                "BelfryRecords",
                "BelfryServer", "BelfrySimulation", "BelfryTestSupport", "BelfryWeChat",
                "BelfryWeChatSimulator", "belfry",
                asyncHTTPClient, hummingbird, logging, nioCore, serviceLifecycle,
            ]
        ),
        tests("ClientTests", ["BelfryClient"]),
        tests("BenchTests", ["BelfryBench", "BelfryPeers", "BelfryTestSupport"]),
        // The built program itself, with real arguments.
        tests(
            "CommandTests",
            [
                "belfry", "BelfryClient", "BelfryPostgresClient", "BelfryPostgresProcess",
                "BelfryRabbitMQProcess", "BelfryRedisProcess", "BelfryServer", "BelfryTestSupport",
                hummingbird, yams,
            ]
        ),
        // Everything at once, with processes that are killed.
        tests("ClusterDemoTests", ["BelfryClusterDemo", "belfry"]),
        tests("TidyTests", []),
    ]
)

// Tools a user of the package never needs, asked for by name.
if Context.environment["BELFRY_DOCS"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")
    )
}
if Context.environment["BELFRY_CLUSTER_DEMO"] != nil {
    package.targets.append(
        .executableTarget(
            name: "belfry-cluster-demo",
            dependencies: ["BelfryClusterDemo", argumentParser],
            path: "Sources/belfry-cluster-demo",
            swiftSettings: settings
        )
    )
}
if let wanted = Context.environment["BELFRY_BENCHMARKS"] {
    package.targets += [
        .executableTarget(
            name: "belfry-peers",
            dependencies: [
                "BelfryBench", "BelfryChannels", "BelfryCore", "BelfryPeers", "CLibPQ",
                "CRabbitMQ", argumentParser,
            ],
            path: "Sources/belfry-peers",
            swiftSettings: settings
        )
    ]
    // The benchmarks of single functions need a package of their own: `BELFRY_BENCHMARKS=peers` leaves it out.
    if wanted != "peers" {
        package.dependencies.append(
            .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: [])
        )
        package.targets.append(
            .executableTarget(
                name: "BelfryBenchmarks",
                dependencies: [
                    "BelfryActivation", "BelfryCore", "BelfryTimingWheel", "BelfryWeChat",
                    .product(name: "Benchmark", package: "benchmark"),
                ],
                path: "Benchmarks/BelfryBenchmarks",
                swiftSettings: settings,
                plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
            )
        )
    }
}
