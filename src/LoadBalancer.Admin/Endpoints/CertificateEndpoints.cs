using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Events;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/certificates</c>: what listeners show, and whom they let in.</summary>
internal sealed class CertificateEndpoints(ProxyServer proxy, TimeProvider time, ILogger logger)
{
    internal Task List(AdminExchange exchange, CancellationToken aborted) => Show(exchange);

    internal Task Reload(AdminExchange exchange, CancellationToken aborted)
    {
        int replaced;
        try
        {
            replaced = proxy.ReloadCertificates();
        }
        catch (TimeoutException)
        {
            return exchange.Refuse(503, "the files of certificates are being read, which does not end; is one on a file system that hangs?");
        }
        AdminLog.CertificatesReloaded(logger, replaced, exchange.Who);
        proxy.Events.Add(ServerEventKind.CertificatesReloaded, "", $"the files of certificates were read again: {replaced} replaced", exchange.Who);
        return Show(exchange);
    }

    private Task Show(AdminExchange exchange) => exchange.Json(200, CertificateList.Of(proxy.DescribeCertificates(), time.GetUtcNow()), AdminJson.Default.CertificateList);
}
