import ArgumentParser

/// `belfry push`: pushes through the API.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Schedule, find and cancel pushes.",
        subcommands: [PushSchedule.self, PushBulk.self, PushFind.self, PushCancel.self]
    )
}
