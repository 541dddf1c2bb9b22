namespace LoadBalancer.Http.Tests;

public class RejectionsTests
{
    [Test]
    public void StatusOf_EveryReason_IsAClientOrServerError()
    {
        var others = new Dictionary<RejectionReason, int>
        {
            [RejectionReason.StartLineTooLong] = 414,
            [RejectionReason.HeadTooLarge] = 431,
            [RejectionReason.TooManyFields] = 431,
            [RejectionReason.UnsupportedTransferEncoding] = 501,
            [RejectionReason.MethodTooLong] = 501,
            [RejectionReason.UnsecuredHttps] = 421,
            [RejectionReason.UnsupportedVersion] = 505,
            [RejectionReason.UnsupportedExpectation] = 417,
        };
        foreach (RejectionReason reason in Enum.GetValues<RejectionReason>()) Assert.That(Rejections.StatusOf(reason), Is.EqualTo(others.GetValueOrDefault(reason, 400)), $"{reason}");
    }
}
