import { tapCampaign } from './run/tap-campaign.ts'
import { openProtocol } from './targets/protocol.ts'

tapCampaign(openProtocol, 5)
