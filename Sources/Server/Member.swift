// A running member: its data directory, its threads and its two doors, put together at the start and
// taken apart at the stop. It knows who hands what to whom, and decides nothing.

package import Gateway
package import System
package import Znodes

package final class Member: Sendable {
    /// What a gateway is made from, on its event loop's thread.
    package struct GatewayParts: Sendable {
        package let loop: Int
        package let publication: TreePublication
        package let readings: @Sendable () -> ServerReadings
    }

    /// Whether this member has stepped aside as the leader, for the one that waits for it.
    private final class StepAside: Sendable {
        private let done = PosixMutex(false)

        func tell() {
            done.withLock { $0 = true }
            done.signal()
        }

        func wait() { done.withLock(when: { $0 }) { _ in } }
    }

    private struct Parts: ~Copyable {
        let http: HTTPServer
        let threads: MemberThreads
    }

    /// With real ports.
    package let httpAddresses: [SocketAddress]
    package let peerAddresses: [SocketAddress]
    package let advertisedHTTP: String
    private let drainMs: UInt64
    private let log: Log
    private let stepAside: StepAside
    /// nil once stopped.
    private let parts: PosixMutex<Parts?>

    /// Recovers, then starts everything; the HTTP door opens last.
    package init<Handler: RequestHandler & ~Copyable>(
        _ configuration: MemberConfiguration, log: Log,
        makeHandler: @escaping @Sendable (GatewayParts) -> Handler
    ) throws(MemberFailure) {
        let recovery = try MemberRecovery.recover(configuration, log: log)
        let stepAside = StepAside()
        do throws(SystemError) {
            let descriptorsMax = try ProcessLimits.raiseDescriptors(
                to: ServerLimits.descriptorsWanted)
            var limits = configuration.server
            limits.fit(descriptorsMax: Int(descriptorsMax))
            let doors = try MemberDoors(configuration, log: log)
            let inboxes = try LoopInboxes(loops: configuration.loops)
            let counters = MemberCounters()
            let server = ServerCounters(loops: configuration.loops, descriptorsMax: descriptorsMax)
            let threads = try MemberThreads(
                configuration, recovery, doors: doors, inboxes: inboxes, readings: server,
                counters: counters, log: log, didStepAside: { stepAside.tell() })
            let publication = threads.publication
            let readings: @Sendable () -> ServerReadings = {
                var readings = server.readings()
                counters.add(to: &readings)
                readings.logLinesDropped = UInt64(log.linesDropped)
                return readings
            }
            let http = try HTTPServer(
                addresses: doors.http, limits: limits, inboxes: inboxes,
                sink: threads.requests, board: threads.board, counters: server,
                makeHandler: { loop in
                    makeHandler(
                        GatewayParts(loop: loop, publication: publication, readings: readings))
                })
            httpAddresses = http.addresses
            peerAddresses = doors.peers.map { $0.socket.address }
            advertisedHTTP = doors.advertisedHTTP
            parts = PosixMutex(Parts(http: http, threads: threads))
        } catch {
            throw MemberFailure(.failure, error.description)
        }
        self.stepAside = stepAside
        self.log = log
        drainMs = configuration.drainMs
        for address in httpAddresses {
            log.info(
                "serving", ("url", "http://\(address)"), ("advertised", advertisedHTTP),
                ("version", Version.text))
        }
    }

    /// How long handing over and draining may take together, before the threads end.
    package static func stopMsMax(_ configuration: MemberConfiguration) -> UInt64 {
        ReplicaLoop.stepAsideMs + configuration.drainMs
    }

    /// Readiness fails first; then leadership is handed over, requests under way are answered, and
    /// all threads end: see `stopMsMax`. Does nothing the second time.
    package func stop() {
        guard let parts = parts.withLock({ $0.take() }) else { return }
        log.info("stopping")
        parts.threads.stop()
        stepAside.wait()
        log.info("draining connections")
        parts.http.drain(withinMs: drainMs)
        parts.http.join()
        parts.threads.end()
        log.info("stopped")
    }
}
