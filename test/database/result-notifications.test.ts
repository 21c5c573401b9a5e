import { expect, it } from 'vitest';
import { describeStores } from './stores-fixture.ts';

describeStores((on) => {
  it('a delivery is recorded once: what another run says of it later changes nothing', async () => {
    await on.stores.projects.setNotificationUrl('TESTASP00000001', 'https://receiver.example/results');
    const number = await on.addRegistration(await on.addMember());
    await on.fail(number);
    const notifications = on.stores.resultNotifications;
    await notifications.recordDelivery(number, 1, 'PENDING', 60_000);
    await notifications.recordDelivery(number, 1, 'EXHAUSTED', 0);
    expect(await notifications.open(number)).toMatchObject({ state: 'PENDING', deliveries: 1 });
    await notifications.recordDelivery(number, 2, 'DELIVERED', 0);
    for (const late of [2, 3]) await notifications.recordDelivery(number, late, 'PENDING', 60_000);
    expect(await notifications.open(number)).toMatchObject({ state: 'DELIVERED', deliveries: 2, dueIn: 0 });
  });
});
