import BelfryActivation

/// The flows of the demonstration: the files under Examples/flows, built in.
package enum DemoFlows {
    package static let all: [(key: String, yaml: String)] = [
        ("welcome", String(decoding: PackageResources.welcome_yaml, as: UTF8.self)),
        ("spring-qr", String(decoding: PackageResources.spring_qr_yaml, as: UTF8.self)),
        ("lesson", String(decoding: PackageResources.lesson_yaml, as: UTF8.self)),
    ]
}
