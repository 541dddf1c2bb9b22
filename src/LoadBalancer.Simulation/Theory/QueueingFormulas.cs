namespace LoadBalancer.Simulation.Theory;

/// <summary>Mean response times in units of the mean service time, at utilization rho of every server.</summary>
internal static class QueueingFormulas
{
    /// <summary>M/M/1, and M/G/1 with processor sharing under any law (insensitivity: Kleinrock 1976, section 4.4).</summary>
    internal static double SingleServer(double rho) => 1 / (1 - rho);

    /// <summary>M/M/1 first come first served: the response time is exponential.</summary>
    internal static double SingleServerQuantile(double rho, double quantile) => -Math.Log(1 - quantile) / (1 - rho);

    /// <summary>M/G/1 first come first served, by Pollaczek and Khinchine; squared coefficient of variation of the service time.</summary>
    internal static double GeneralService(double rho, double squaredVariation) => 1 + rho * (1 + squaredVariation) / (2 * (1 - rho));

    /// <summary>M/M/c: one queue before c servers.</summary>
    internal static double CentralQueue(int servers, double rho)
    {
        // Erlang's B by its recursion, then C.
        double offered = servers * rho, b = 1;
        for (int i = 1; i <= servers; i++) b = offered * b / (i + offered * b);
        double c = b / (1 - rho * (1 - b));
        return 1 + c / (servers * (1 - rho));
    }

    /// <summary>Round robin over n: each server sees Erlang-n arrivals (E_n/M/1), s = (n rho / (n rho + 1 - s))^n.</summary>
    internal static double RoundRobin(int servers, double rho)
    {
        double s = rho;
        for (int i = 0; i < 10_000; i++) s = Math.Pow(servers * rho / (servers * rho + 1 - s), servers);
        return 1 / (1 - s);
    }

    /// <summary>The shortest of d random queues, for very many servers: the sum of rho^((d^i - d)/(d - 1)) (Mitzenmacher 2001).</summary>
    internal static double Choices(int d, double rho)
    {
        double sum = 0;
        for (double power = d; power < 1e6; power *= d) sum += Math.Pow(rho, (power - d) / (d - 1));
        return sum;
    }

    /// <summary>Part of the servers with so many requests or more, for the same: rho^((d^i - 1)/(d - 1)), where random has rho^i.</summary>
    internal static double ChoicesTail(int d, double rho, int length) => Math.Pow(rho, (Math.Pow(d, length) - 1) / (d - 1));
}
