import { tapCampaign } from './run/tap-campaign.ts'
import { openSpecs } from './targets/specs.ts'

tapCampaign(openSpecs, 3)
