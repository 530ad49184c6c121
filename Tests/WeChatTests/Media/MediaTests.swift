import BelfryCore
import BelfrySimulation
import BelfryWeChat
import Synchronization
import Testing

@Suite("Media")
struct MediaTests {
    private let clock = ManualClock(.seconds(1_700_000_000))
    private let picture = MediaReference(name: "a.png", kind: .image)
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

    /// A WeChat that numbers uploads M1, M2 … and refuses the media ids it is told to.
    private func fake(refusing refused: Set<String> = []) -> FakeWeChat {
        let counter = Counter()
        let clock = clock
        return FakeWeChat { request in
            switch request.path {
            case Path.token: .token("T")
            case Path.upload:
                .json(
                    #"{"type":"image","media_id":"M\#(counter.next())","created_at":\#(clock.now().milliseconds / 1000)}"#
                )
            default:
                refused.contains { request.text.contains("\"\($0)\"") } ? .error(40007) : .ok
            }
        }
    }

    private func library(_ fake: FakeWeChat, _ cache: any MediaCache = MemoryCache())
        -> MediaLibrary
    {
        MediaLibrary(
            client: .fake(fake, clock),
            files: Files(["a.png": Self.png, "b.jpg": [0xFF, 0xD8, 0xFF, 0xE0]]),
            cache: cache,
            clock: clock
        )
    }

    @Test("a file is uploaded once and used until it is 60 hours old")
    func renewal() async throws {
        let fake = fake()
        let library = library(fake)
        #expect(try await library.mediaID(for: picture) == "M1")
        clock.advance(by: .hours(60) - .seconds(1))
        #expect(try await library.mediaID(for: picture) == "M1")
        clock.advance(by: .seconds(1))
        #expect(try await library.mediaID(for: picture) == "M2")
        #expect(fake.count(Path.upload) == 2)
    }

    @Test("an id that would end before the message is due is renewed sooner")
    func dueTime() async throws {
        let library = library(fake())
        #expect(try await library.mediaID(for: picture) == "M1")
        clock.advance(by: .hours(10))
        let near = clock.now() + .hours(61)
        #expect(try await library.mediaID(for: picture, due: near) == "M1")
        let far = clock.now() + .hours(63)
        #expect(try await library.mediaID(for: picture, due: far) == "M2")
    }

    @Test("the upload carries the file, with a name, in the field WeChat asks for")
    func form() async throws {
        let fake = fake()
        _ = try await library(fake).mediaID(for: picture)
        let request = fake.requests[1]
        #expect(request.query == "access_token=T&type=image")
        let boundary = try #require(
            request.headers["content-type"]?.split(separator: "boundary=").last
        )
        let head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"media\"; filename=\""
        #expect(request.body.starts(with: head.utf8))
        #expect(request.text.contains(".png\"\r\nContent-Type: image/png\r\n\r\n"))
        let tail = Self.png + Array("\r\n--\(boundary)--\r\n".utf8)
        #expect(request.body.suffix(tail.count).elementsEqual(tail))
    }

    @Test("an id that WeChat has forgotten is replaced and the message repeated once")
    func forgotten() async throws {
        let fake = fake(refusing: ["M1"])
        let sender = WeChatSender(client: .fake(fake, clock), media: library(fake))
        let message = CustomerMessage(.image(mediaID: picture.text))
        #expect(await sender.send(message, to: "o", due: clock.now()) == .sent(reference: nil))
        #expect(fake.count(Path.upload) == 2)
        #expect(fake.requests.last?.text.contains(#""media_id":"M2""#) == true)

        let hopeless = self.fake(refusing: ["M1", "M2"])
        let other = WeChatSender(client: .fake(hopeless, clock), media: library(hopeless))
        guard case .refused(.dead, let cause) = await other.send(message, to: "o", due: clock.now())
        else {
            Issue.record("must be refused")
            return
        }
        #expect(cause.code == "40007")
        #expect(hopeless.count(Path.send) == 2)
    }

    @Test("a media id that was given as such is not uploaded again")
    func plainID() async throws {
        let fake = fake(refusing: ["X"])
        let sender = WeChatSender(client: .fake(fake, clock), media: library(fake))
        let outcome = await sender.send(
            Array(#"{"msgtype":"image","image":{"media_id":"X"}}"#.utf8),
            to: "o",
            due: clock.now()
        )
        guard case .refused(.dead, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(fake.count(Path.upload) == 0)
    }

    @Test("a missing file, a wrong file and no files at all end the push with the reason")
    func problems() async throws {
        let fake = fake()
        let sender = WeChatSender(client: .fake(fake, clock), media: library(fake))
        for message in [
            CustomerMessage(.image(mediaID: "file:none.png")),
            CustomerMessage(.voice(mediaID: "file:a.png")),
        ] {
            guard
                case .refused(.dead, let cause) = await sender.send(
                    message,
                    to: "o",
                    due: clock.now()
                )
            else {
                Issue.record("must be refused")
                continue
            }
            #expect(cause.code == "invalid_message")
        }
        let bare = WeChatSender(client: .fake(fake, clock))
        guard
            case .refused = await bare.send(
                CustomerMessage(.image(mediaID: "file:a.png")),
                to: "o",
                due: clock.now()
            )
        else {
            Issue.record("must be refused")
            return
        }
        #expect(fake.requests.isEmpty)
    }

    @Test("an upload that fails leaves the message unsent and to be tried again")
    func uploadFails() async {
        let fake = FakeWeChat { request in
            request.path == Path.token ? .token("T") : .failure(.noAnswer)
        }
        let sender = WeChatSender(client: .fake(fake, clock), media: library(fake))
        let message = CustomerMessage(.image(mediaID: "file:a.png"))
        guard case .unreachable = await sender.send(message, to: "o", due: clock.now()) else {
            Issue.record("must be tried again")
            return
        }
        #expect(fake.count(Path.send) == 0)
    }

    @Test("a cache that fails costs an upload and nothing else")
    func brokenCache() async throws {
        let fake = fake()
        let library = library(fake, BrokenCache())
        #expect(try await library.mediaID(for: picture) == "M1")
        #expect(try await library.mediaID(for: picture) == "M2")
    }

    @Test("files are known by their content and measured before they are sent")
    func files() throws {
        let cases: [(MediaKind, [UInt8], MediaFormat?)] = [
            (.image, Self.png, .png), (.image, [0xFF, 0xD8, 0xFF], .jpeg),
            (.image, Array("GIF89a".utf8), .gif), (.image, Array("BM....".utf8), .bmp),
            (.voice, Array("#!AMR\n".utf8), .amr), (.voice, Array("ID3".utf8), .mp3),
            (.voice, [0xFF, 0xFB, 0x90], .mp3), (.video, Array("\0\0\0 ftypmp42".utf8), .mp4),
            (.thumb, [0xFF, 0xD8, 0xFF], .jpeg), (.thumb, Self.png, nil),
            (.image, Array("<svg".utf8), nil), (.voice, Self.png, nil), (.image, [], nil),
        ]
        for (kind, bytes, format) in cases {
            let file = MediaFile(kind: kind, bytes: bytes)
            #expect((try? file.validate()) == format, "\(kind) \(bytes)")
        }
        for kind in MediaKind.allCases {
            let bytes = [0xFF, 0xD8, 0xFF] + Array(repeating: UInt8(0), count: kind.byteLimit)
            #expect(throws: InvalidMessage.self) {
                try MediaFile(kind: kind, bytes: bytes).validate()
            }
        }
    }
}

private struct Files: MediaFiles {
    private let files: [String: [UInt8]]

    init(_ files: [String: [UInt8]]) { self.files = files }

    func load(_ reference: MediaReference) async throws(InvalidMessage) -> MediaFile {
        guard let bytes = files[reference.name] else {
            throw InvalidMessage(field: reference.text, problem: "no such file")
        }
        return MediaFile(kind: reference.kind, bytes: bytes)
    }
}

private final class MemoryCache: MediaCache {
    private let entries = Mutex<[MediaKey: UploadedMedia]>([:])

    func find(_ key: MediaKey) async -> UploadedMedia? { entries.withLock { $0[key] } }

    func store(_ media: UploadedMedia, for key: MediaKey) async {
        entries.withLock { $0[key] = media }
    }

    func forget(_ mediaID: String, for key: MediaKey) async {
        entries.withLock { if $0[key]?.id == mediaID { $0[key] = nil } }
    }
}

private struct BrokenCache: MediaCache {
    struct Broken: Error {}

    func find(_ key: MediaKey) async throws -> UploadedMedia? { throw Broken() }
    func store(_ media: UploadedMedia, for key: MediaKey) async throws { throw Broken() }
    func forget(_ mediaID: String, for key: MediaKey) async throws { throw Broken() }
}
