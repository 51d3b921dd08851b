// swift-tools-version: 6.2
// The floors of the house, lowest first: a target imports only what its row names.
// docs/architecture.md explains the floors; Tests/TidyTests compares every import with its table.

import PackageDescription

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")

let package = Package(
    name: "aviary",
    products: [
        .executable(name: "aviary", targets: ["aviary"]),
        .executable(name: "aviary-simulate", targets: ["aviary-simulate"]),
        .executable(name: "aviary-fuzz", targets: ["aviary-fuzz"]),
    ],
    dependencies: [
        .package(
            url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.0")),
        .package(url: "https://github.com/apple/swift-collections", .upToNextMinor(from: "1.6.0")),
    ],
    targets: [
        // Leaves in C.
        .target(name: "CChecksum"),
        .target(name: "CLinux"),

        // Floor 0
        .target(name: "Raft", dependencies: [deque]),
        .target(name: "Znodes", dependencies: [deque, heap]),
        .target(name: "HTTP"),
        // Floor 1
        .target(name: "Journal", dependencies: ["Raft", "CChecksum"]),
        // Floor 2
        .target(name: "Ensemble", dependencies: ["Raft", "Znodes", "Journal", deque, heap]),
        // Floor 3
        .target(name: "Gateway", dependencies: ["Ensemble", "Znodes", "HTTP"]),
        // Floor 4
        .target(name: "System", dependencies: ["Journal", "CLinux"]),
        // Floor 5
        .target(
            name: "Server",
            dependencies: [
                "Raft", "Znodes", "HTTP", "Journal", "Ensemble", "Gateway", "System",
            ]),
        // Floor 6
        // Why those that it does not import: its values hold theirs, and SwiftPM compiles a target
        // again only for a change in a direct dependency.
        .executableTarget(
            name: "aviary",
            dependencies: [
                "Server", "System", "Gateway", "Ensemble", "Journal", "Znodes", "Raft", "HTTP",
                argumentParser,
            ]),

        // Beside the house: a deterministic world in which whole replicas run.
        .target(
            name: "Simulation",
            dependencies: ["Raft", "Znodes", "Journal", "Ensemble", "HTTP", "Gateway", heap]),
        .executableTarget(
            name: "aviary-simulate", dependencies: ["Simulation", "System", argumentParser]),

        // Beside the house: what must hold for any bytes.
        .target(
            name: "Fuzzing", dependencies: ["Raft", "Znodes", "HTTP", "Journal", "Ensemble"]),
        .executableTarget(name: "aviary-fuzz", dependencies: ["Fuzzing"]),

        .testTarget(name: "RaftTests", dependencies: ["Raft"], exclude: ["Scenarios"]),
        .testTarget(name: "ZnodesTests", dependencies: ["Znodes"]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"], exclude: ["Requests"]),
        .testTarget(name: "JournalTests", dependencies: ["Journal", "Raft"]),
        .testTarget(
            name: "EnsembleTests", dependencies: ["Ensemble", "Journal", "Raft", "Znodes"]),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "Ensemble", "Journal", "Raft", "Znodes", "HTTP"],
            exclude: ["Pages"]),
        .testTarget(name: "SystemTests", dependencies: ["System", "Journal", "Raft"]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Gateway", "Ensemble", "Znodes", "HTTP", "System", "Journal", "Raft",
            ]),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Simulation", "Ensemble", "Journal", "Raft", "Znodes"],
            exclude: ["Seeds.txt"]),
        .testTarget(
            name: "FuzzTests", dependencies: ["Fuzzing"], path: "Tests/Fuzz", exclude: ["Corpus"]),
        .testTarget(name: "TidyTests"),
    ]
)

let houseRules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]
let isC: Set<String> = ["CChecksum", "CLinux"]
for target in package.targets where !isC.contains(target.name) {
    target.swiftSettings = houseRules
}
