import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the server of a folder keeps what does not lie in it, for whoever looks into the folder without its settings. One a line: the setting, a space, the address without
/// its password. Nobody goes by it: what counts are settings and records.
extension DataFolder {
    /// Notes what the settings of this start name; nothing where everything lies in the folder.
    ///
    /// - Throws: ``StartFailure`` where it cannot be written.
    func notePlaces(_ configuration: ServerConfiguration) throws(StartFailure) {
        let file = placesFile
        var lines = ""
        if !configuration.timeline.url.isEmpty {
            lines += "timeline.url \(try TimelinePlace.shown(configuration.timeline.url))\n"
        }
        if !configuration.records.url.isEmpty {
            lines += "records.url \(try TimelinePlace.shown(configuration.records.url))\n"
        }
        if lines.isEmpty {
            unlink(file)
            return
        }
        do { try Data(lines.utf8).write(to: URL(filePath: file), options: .atomic) } catch {
            throw StartFailure(.cannotCreate, "\(file) cannot be written: \(systemWords(error))")
        }
    }

    /// The settings that the last server of a folder had and these lack, with what they said there.
    package static func missingPlaces(_ configuration: ServerConfiguration) -> [(
        setting: String, place: String
    )] {
        // A folder whose server has everything in it has no such file.
        let text = try? String(
            contentsOfFile: "\(configuration.data.folder)/places",
            encoding: .utf8
        )
        let lines = (text ?? "").split(separator: "\n").map { $0.split(separator: " ") }
        let known = [
            "timeline.url": configuration.timeline.url, "records.url": configuration.records.url,
        ]
        return lines.filter { $0.count == 2 && known[String($0[0])]?.isEmpty == true }
            .map { (String($0[0]), String($0[1])) }
    }
}
