import Testing

@testable import BelfryWeChatSimulator

@Suite("People, codes and media")
struct PeopleTests {
    @Test("who follows is described without a name, who does not only by the openid")
    func userInfo() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow(scene: "123"))
        let query = ["openid": openID]
        let info = bench.call("user/info", method: "GET", query: query)
        #expect(info["subscribe"] == 1)
        #expect(info["subscribe_time"]?.integer == bench.clock.now / 1000)
        #expect(info["qr_scene"] == 123)
        #expect(info["subscribe_scene"] == "ADD_SCENE_QR_CODE")
        #expect(info["nickname"] == "")
        try await bench.simulator.unfollow(bench.account.appID, openID: openID)
        #expect(
            bench.call("user/info", method: "GET", query: query)
                == ["subscribe": 0, "openid": .string(openID)]
        )
        #expect(
            bench.call("user/info", method: "GET", query: ["openid": "x"])["errcode"] == 40_003
        )
        let batch = bench.call(
            "user/info/batchget",
            #"{"user_list":[{"openid":"\#(openID)"}]}"#
        )
        #expect(batch["user_info_list"]?.array?.count == 1)
    }

    @Test("a code with a scene makes followers of strangers, and a scan of followers")
    func scenes() async throws {
        let bench = Bench()
        let sink = CallbackSink()
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let code = bench.call(
                "qrcode/create",
                #"{"expire_seconds":600,"action_name":"QR_STR_SCENE","#
                    + #""action_info":{"scene":{"scene_str":"booth"}}}"#
            )
            let ticket = try #require(code["ticket"]?.string)
            let simulator = bench.simulator
            try await simulator.scan(ticket: ticket, by: "o1", of: account.appID)
            try await simulator.scan(ticket: ticket, by: "o1", of: account.appID)
            let events = try sink.received.map { try $0.opened(account) }
            #expect(events.map { $0.value("Event") } == ["subscribe", "SCAN"])
            #expect(events.map { $0.value("EventKey") } == ["qrscene_booth", "booth"])
            #expect(events.map { $0.value("Ticket") } == [ticket, ticket])
            bench.clock.advance(seconds: 600)
            await #expect(throws: SimulatorError.unknownTicket(ticket)) {
                try await simulator.scan(ticket: ticket, by: "o1", of: account.appID)
            }
        }
    }

    private func upload(
        _ bench: Bench,
        _ type: String,
        field: String = "media",
        fileName: String? = "a.png",
        _ bytes: [UInt8]
    ) -> JSONValue {
        let file = fileName.map { "; filename=\"\($0)\"" } ?? ""
        let body =
            Array(
                ("--b1\r\nContent-Disposition: form-data; name=\"\(field)\"\(file)\r\n"
                    + "Content-Type: application/octet-stream\r\n\r\n").utf8
            ) + bytes + Array("\r\n--b1--\r\n".utf8)
        let answer = bench.call(
            "media/upload",
            query: ["type": type],
            contentType: "multipart/form-data; boundary=b1",
            raw: body
        )
        guard case .json(let value) = answer else { return .null }
        return value
    }

    @Test("an upload is checked for its field, file name, type, size and format")
    func uploads() throws {
        let bench = Bench()
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]
        let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0]
        let image = upload(bench, "image", png)
        let id = try #require(image["media_id"]?.string)
        #expect(image["created_at"]?.integer == bench.clock.now / 1000)
        #expect(upload(bench, "thumb", jpeg)["thumb_media_id"] != nil)
        #expect(upload(bench, "film", png)["errcode"] == 40_004)
        #expect(upload(bench, "voice", png)["errcode"] == 40_005)
        #expect(upload(bench, "thumb", png)["errcode"] == 40_005)
        let large = jpeg + [UInt8](repeating: 0, count: 64 << 10)
        #expect(upload(bench, "thumb", large)["errcode"] == 40_006)
        #expect(upload(bench, "image", field: "file", png)["errcode"] == 41_005)
        #expect(upload(bench, "image", fileName: nil, png)["errcode"] == 41_005)
        #expect(upload(bench, "image", [])["errcode"] == 41_005)
        let query = ["media_id": id]
        guard case .file(let bytes, let format) = bench.call("media/get", query: query, raw: [])
        else {
            Issue.record("the image does not come back")
            return
        }
        #expect(bytes == png)
        #expect(format == "image/png")
        bench.clock.advance(seconds: 3 * 86_400)
        #expect(bench.call("media/get", query: query)["errcode"] == 40_007)
    }
}
