import BelfryCore

extension Records {
    private static let identitySetting = "identity"

    /// Names these records for good, so that a timeline elsewhere knows whose pushes it holds. A setting: it goes along in moves and copies, and all servers over the same records share it.
    ///
    /// - Parameter new: the name to give, where they have none yet.
    package func identity(new: @autoclosure () -> String) async throws(RecordsError) -> String {
        let name = Self.identitySetting
        if let known = try await settings.find(name) { return try Self.identity(known) }
        let given: JSONValue = .string(new())
        do throws(RecordsError) {
            return try Self.identity(
                try await settings.set(name, to: given.text, by: "belfry", expected: 0)
            )
        } catch {
            // Another server was first.
            guard error.code == .conflict, let known = try await settings.find(name) else {
                throw error
            }
            return try Self.identity(known)
        }
    }

    private static func identity(_ record: SettingRecord) throws(RecordsError) -> String {
        // Anything but a text was not written by this.
        let json = try? JSONValue(parsing: Array(record.value.utf8))
        guard let text = json?.string, !text.isEmpty else {
            throw RecordsError(.corrupt, "the name of these records cannot be read")
        }
        return text
    }
}
