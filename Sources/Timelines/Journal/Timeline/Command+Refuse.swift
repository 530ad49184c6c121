import BelfryCore

extension Command {
    func refuse(_ error: TimelineError) {
        switch self {
        case .schedule(_, let reply): reply.resume(returning: .failure(error))
        case .cancel(_, let reply): reply.resume(returning: .failure(error))
        case .displace(_, _, let reply): reply.resume(returning: .failure(error))
        case .probe(_, let reply): reply.resume(returning: .failure(error))
        case .find(_, let reply): reply.resume(returning: .failure(error))
        case .page(_, _, let reply): reply.resume(returning: .failure(error))
        case .withdraw(_, let reply), .place(_, let reply), .awaitsJoining(_, let reply):
            reply.resume(returning: .failure(error))
        case .claim(_, let reply): reply.resume(returning: .failure(error))
        case .offer(_, let reply): reply.resume(returning: .failure(error))
        case .settle(_, let reply): reply.resume(returning: .failure(error))
        case .extend(_, _, let reply): reply.resume(returning: .failure(error))
        case .nextDue(let reply): reply.resume(returning: .failure(error))
        case .forecast(_, _, _, let reply): reply.resume(returning: .failure(error))
        case .counts(let reply): reply.resume(returning: .failure(error))
        case .damage(let reply): reply.resume(returning: .failure(error))
        case .copy(_, let begun, let reply):
            begun.resume(returning: .failure(error))
            reply.resume(returning: .failure(error))
        case .close(let reply): reply?.resume(returning: .success(()))
        case .written, .checkpointed, .adopt, .lookAhead, .suspect, .checked, .copied: break
        }
    }
}
